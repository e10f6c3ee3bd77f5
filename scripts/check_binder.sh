#!/usr/bin/env bash
# Whether the book works on Binder, as far as that can be seen without Binder: the recipe is accepted, what it names can be
# installed together in an empty environment, and there a chapter runs to its end in JupyterLab, with a demo that answers.
#   bash scripts/check_binder.sh            about ten minutes and 3 GB; everything is removed afterwards
#   KEEP=folder bash scripts/check_binder.sh   keeps the environment in that folder, and uses it again the next time
#   CHAPTERS="01_implicit_bias 02_mirror_descent" bash scripts/check_binder.sh   opens these instead of chapter 11
# Conda is not needed: its packages are taken from pip, under the bounds of environment.yml. That conda can solve the recipe
# is the one thing that this script cannot tell.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
bin=$root/.venv/bin
test -x "$bin/python" || { echo "This check drives JupyterLab from .venv, which is missing; run: make install" >&2; exit 1; }
folder=${KEEP:-$(mktemp -d)}
[ -n "${KEEP:-}" ] || trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"
step() { echo; echo "== $1 ($SECONDS s)"; }

step "the recipe, as repo2docker reads it"
"$bin/jupyter-repo2docker" --no-build --debug . >"$folder/recipe.log" 2>&1 || { tail -n 20 "$folder/recipe.log"; exit 1; }
for line in "env update .*environment.yml" "RUN ./postBuild"; do
  grep -q "$line" "$folder/recipe.log" || { echo "The image would be made without '$line'; see $folder/recipe.log" >&2; exit 1; }
done
echo "accepted: environment.yml and postBuild"

step "a copy of the repository, without what git ignores"
rm -rf "$folder/repository"
mkdir -p "$folder/repository"
git ls-files -co --exclude-standard | while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done |
  tar -cf - -T - | tar -xf - -C "$folder/repository"

step "an empty environment with what environment.yml names"
"$bin/python" scripts/binder_requirements.py >"$folder/requirements.txt"
cat "$folder/requirements.txt"
test -x "$folder/environment/bin/python" || "$bin/python" -m venv "$folder/environment"
(cd "$folder/repository" && "$folder/environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$folder/requirements.txt")
"$folder/environment/bin/python" -m pip check --disable-pip-version-check
[ ! -f postBuild ] || (cd "$folder/repository" && PATH="$folder/environment/bin:$PATH" bash postBuild)

for chapter in ${CHAPTERS:-11_scaled_potentials}; do
  step "$chapter in JupyterLab, in Chromium"
  (cd "$folder" && IBTEXT_REQUIRE_BROWSER=1 IBTEXT_LAB="$folder/environment/bin/jupyter-lab" IBTEXT_LAB_ROOT="$folder/repository" \
    IBTEXT_LAB_CHAPTER="$chapter" IBTEXT_LAB_PICTURES="$folder" \
    "$bin/python" -m pytest -q -s -p no:cacheprovider -c "$root/pyproject.toml" --rootdir "$root" "$root/tests/browser/test_launched.py" -k runs_to_its_end)
done
step "everything passed"
