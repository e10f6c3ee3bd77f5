"""The rules of WCAG, levels A and AA, as axe-core knows them, and two that it does not see."""

from pathlib import Path

import axe_playwright_python

from tests.browser.conftest import PATIENCE

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """([where, options]) => axe.run(where ?? document, {...options, resultTypes: ['violations']}).then(r =>
  r.violations.map(v => `${v.id}: ${v.help} (${v.nodes.length}): `
    + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' / ')))"""

# Contrast is the slowest rule by far, and a page has thousands of elements that look alike. One of each look is marked: same
# ink, size and weight over the same stack of backgrounds.
LOOKS = """() => {
  const stacks = new Map(), seen = new Set();
  const stack = e => {
    if (!e) return '';
    if (!stacks.has(e)) {
      const s = getComputedStyle(e), own = `${s.backgroundColor}${s.backgroundImage}${s.opacity}${s.display === 'none'}`;
      stacks.set(e, /^rgba\\(0, 0, 0, 0\\)none1false$/.test(own) ? stack(e.parentElement) : `${stack(e.parentElement)}/${own}`);
    }
    return stacks.get(e);
  };
  document.querySelectorAll('[data-look]').forEach(e => delete e.dataset.look);
  for (const e of document.body.querySelectorAll('*')) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const s = getComputedStyle(e), look = [s.color, s.fontSize, s.fontWeight, s.visibility, stack(e)].join();
    if (!seen.has(look)) { seen.add(look); e.dataset.look = ''; }
  }
  return seen.size;
}"""

# Text in SVG: axe-core does not know what lies behind it, so its contrast with the demo's paper is computed here.
CONTRAST = """d => {
  const channels = c => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((s, v, k) => s + v * [0.2126, 0.7152, 0.0722][k], 0);
  const paper = light(channels(getComputedStyle(d).backgroundColor));
  return [...d.querySelectorAll('svg text')].filter(t => t.textContent && t.getClientRects().length).map(t => {
    const ink = light(channels(getComputedStyle(t).fill));
    return [(Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05), t.textContent];
  });
}"""
# MathJax writes every formula by the same rules, and a chapter has a thousand; code cells have a span for every word. Together
# they are nine tenths of all elements. Formulas beyond the first twenty become a letter, or nothing on a line of their own, and
# code beyond the first six cells becomes plain, while axe looks at the page; all come back afterwards.
THIN = """() => {
  const thin = (elements, left) => elements.map(e => {
    const parts = [...e.childNodes], rest = left(e);
    e.replaceChildren(...rest);
    return [e, parts];
  });
  window.thinned = [
    ...thin([...document.querySelectorAll('mjx-container')].slice(20), f => f.getAttribute('display') ? [] : ['x']),
    ...thin([...document.querySelectorAll('.highlight pre')].slice(6), p => [p.textContent]),
  ];
}"""
RESTORE = "() => { window.thinned.forEach(([f, parts]) => f.replaceChildren(...parts)); }"

# What sticks out of the page and is not inside something that scrolls or is cut off on purpose.
WIDE = """() => [...document.querySelectorAll('.bd-article *')].filter(e => {
  const r = e.getBoundingClientRect();
  if (!r.width || !r.height || r.right <= document.documentElement.clientWidth + 1) return false;
  for (let p = e; p && p !== document.body; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== 'visible' || getComputedStyle(p).clipPath !== 'none') return false;
  return true;
}).map(e => `${e.tagName}.${e.className.baseVal ?? e.className}`).slice(0, 5)"""

# A formula that is wider than its line, and neither shown in full nor to be scrolled.
CUT = """() => [...document.querySelectorAll('.bd-article .math')].filter(e => e.scrollWidth > e.clientWidth + 1
  && e.clientWidth && ['hidden', 'clip'].includes(getComputedStyle(e).overflowX)).map(e => e.textContent.slice(0, 60))"""


def violations(page, where=None):
    """What breaks a rule, contrast apart, as lines to read."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    return page.evaluate(RUN, [where, {"runOnly": RULES, "rules": {"color-contrast": {"enabled": False}}}])


def pale(page):
    """What has too little contrast, among one element of each look."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE)
    assert page.evaluate(LOOKS) > 3
    return page.evaluate(RUN, ["[data-look]", {"runOnly": {"type": "rule", "values": ["color-contrast"]}}])


def dark(page):
    """Switch to the dark theme as the reader's own setting would; the rules that depend on colours are run again."""
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=PATIENCE)
    # on a busy machine a fade of an eighth of a second lasts longer
    page.add_style_tag(content="*, *::before, *::after { transition: none !important; }")


def faint(demos):
    """Text in the plots with a contrast below 4.5 to the paper of its demo."""
    return [(round(ratio, 2), text) for demo in demos for ratio, text in demo.evaluate(CONTRAST) if ratio < 4.5]
