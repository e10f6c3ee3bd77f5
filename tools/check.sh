#!/usr/bin/env bash
# What `make test` runs, in the order in which failures are cheapest to find. Every part runs, so that one report
# shows every fault; the exit status is that of the first part that failed.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
status=0
summary=()

part() {  # part NAME COMMAND...: run one part, keep its time and its result
  local name=$1 start=$SECONDS result=ok
  shift
  echo
  echo "== $name"
  "$@" || { local code=$?; result=FAILED; [ "$status" -ne 0 ] || status=$code; }
  summary+=("$(printf '%-34s %4d s  %s' "$name" $((SECONDS - start)) "$result")")
}

# The workers of pytest use all cores already; threads of the linear algebra on top of them only wait for each other.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

mapfile -t notebooks < <(ls book/*.ipynb 2>/dev/null)

part "style (ruff)" "$bin/ruff" check .
part "types (mypy, strict)" "$bin/mypy"
part "package, claims, demos, house" "$bin/python" -m pytest -q -n auto --dist loadfile --ignore=tests/browser
part "rounding of two other processors" "$bin/python" -m tools.machines --short
[ ${#notebooks[@]} -eq 0 ] || part "notebooks (nbval, strict)" \
  "$bin/python" -m pytest -q -p no:cacheprovider --nbval --nbval-current-env --nbval-cell-timeout=300 \
  -n auto --dist loadfile -W default -o filterwarnings= "${notebooks[@]}"
part "site (warnings are errors)" "$bin/python" -m tools.site.build
if [ -f _build/html/index.html ]; then
  # One browser a worker, and one JupyterLab in all; pages are opened from their files, so there is no server to share.
  part "built pages in a browser" "$bin/python" -m pytest -q -n auto --dist loadgroup tests/browser
else
  summary+=("built pages in a browser: not run, because there is no site")
fi

echo
echo "== summary"
printf '%s\n' "${summary[@]}"
exit "$status"
