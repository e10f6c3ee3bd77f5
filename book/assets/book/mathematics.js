// Typesets a page in pieces, what is in sight first, so that a long chapter answers while its formulas arrive.
// All at once, a thousand formulas would hold the page for seconds; MathJax.startup.promise still ends when all are done.
(() => {
  if (!window.MathJax) return;                                                        // a page without mathematics
  const PIECE = 24, DEMOS = 'script[type="application/vnd.jupyter.widget-view+json"]';
  const pause = () => new Promise(resolve => { setTimeout(resolve); });
  const distance = node => {
    const { top, bottom, width } = node.getBoundingClientRect();
    return width ? Math.max(top - innerHeight, -bottom, 0) : Infinity;                // folded proofs come last
  };

  async function typeset() {
    for (let k = 0; k < 400 && document.querySelector(DEMOS) && !document.documentElement.dataset.ibReady; k++) await pause();
    const formulas = [...document.querySelectorAll('.math')].filter(e => !e.parentElement.closest('.math')).map(e => [distance(e), e]);
    formulas.sort((a, b) => a[0] - b[0]);
    for (let k = 0; k < formulas.length; k += PIECE) {
      await MathJax.typesetPromise(formulas.slice(k, k + PIECE).map(f => f[1]));
      await pause();
    }
    await MathJax.typesetPromise();                                                   // what stands outside such elements
  }

  MathJax.startup = { ...MathJax.startup, pageReady: typeset };
})();
