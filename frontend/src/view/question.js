// Predict, then check: the controls wait until the reader has answered or skipped.  A prediction is a choice, or drawn in a plot
// (see drawn.js).  `text()` and `restore()` carry it through the page's address; "!" says that it was checked.
import { make } from './dom.js';
import { makeDrawn } from './drawn.js';

function frame(parent, question) {
  const box = make('div', { className: 'ib-question' }, parent);
  make('p', { className: 'ib-question-text', textContent: question.text }, box);
  const row = make('div', { className: 'ib-choices', role: 'group', 'aria-label': 'Your prediction' }, box);
  const after = make('div', { className: 'ib-after', 'aria-live': 'polite' }, box);
  const button = (className, textContent, onclick, parent = row) => make('button', { type: 'button', className, textContent, onclick }, parent);
  const explain = (verdict, focus) => {
    const text = make('p', { className: 'ib-because', tabIndex: -1 });
    make('strong', { textContent: verdict }, text);
    text.append(question.because);
    after.replaceChildren(text);
    if (focus) text.focus({ preventScroll: true });
  };
  return { box, row, after, button, explain };
}

function choiceQuestion(parent, question, { onOpen, onAnswer }) {
  const { box, after, button, explain } = frame(parent, question), veil = new Set(question.veil);
  let chosen = null, checked = false;
  const buttons = question.choices.map((text, k) => {
    const b = button('ib-choice', text, () => { open(k); onAnswer(); });
    b.setAttribute('aria-pressed', 'false');
    return b;
  });
  const skip = button('ib-skip', 'Skip', () => open(null));
  function check(focus) {
    checked = true;
    const k = chosen, right = `“${question.choices[question.answer]}.” `;
    buttons[question.answer].classList.add('ib-right');
    explain(k === null ? right : k === question.answer ? 'As you predicted. ' : `Not quite: ${right}`, focus);
  }
  function open(k) {
    chosen = k;
    checked = false;
    veil.clear();
    buttons.forEach((b, i) => { b.setAttribute('aria-pressed', String(i === k)); b.classList.remove('ib-right'); });
    skip.hidden = true;
    box.classList.add('ib-open');
    after.replaceChildren();
    if (k !== null) make('span', { textContent: 'Now move the controls and look. ' }, after);
    button('ib-link', k === null ? 'Show the answer' : 'Check my prediction', () => { check(true); onAnswer(); }, after);
    onOpen();
  }
  return {
    open: () => open(null),
    text: () => (chosen === null ? '' : `${chosen}${checked ? '!' : ''}`),
    restore(text) {
      const k = parseInt(text, 10);
      if (!(k >= 0 && k < question.choices.length)) return open(null);
      open(k);
      if (text.endsWith('!')) check(false);
    },
    veil,
    waiting: 'What the question asks about appears when you have answered, or skipped.',
  };
}

function drawnQuestion(parent, question, { onOpen, onAnswer, plots, truth }) {
  const { box, row, after, button, explain } = frame(parent, question), sketch = question.kind === 'sketch';
  const veil = new Set(question.veil);
  const noun = sketch ? 'sketch' : 'mark', drawn = makeDrawn(plots[question.panel], question, () => { touched = true; onAnswer(); }, truth);
  let touched = false, checked = false, done = false;
  box.insertBefore(make('p', { className: 'ib-how', textContent: sketch
    ? 'Drag the round handles up and down, or focus one and use the arrow keys. Then check.'
    : 'Drag the ring, or focus it and use the arrow keys. Then check.' }), row);
  button('ib-choice ib-check', `Check my ${noun}`, () => { check(true); onAnswer(); });
  button('ib-skip', 'Skip', () => skip());
  function close() {
    done = true;
    row.hidden = true;
    box.querySelector('.ib-how').hidden = true;
    box.classList.add('ib-open');
    veil.clear();
  }
  function check(focus) {
    checked = true;
    close();
    drawn.freeze();
    onOpen();
    explain(drawn.verdict(truth()), focus);
  }
  function skip() {
    close();
    drawn.remove();
    button('ib-link', 'Show the answer', () => explain('', true), after);
    onOpen();
  }
  return {
    open: () => { if (!done) skip(); },
    text: () => (checked || (touched && !done) ? `${drawn.text()}${checked ? '!' : ''}` : ''),
    restore(text) {
      if (done) return;
      if (!drawn.restore(text.replace('!', ''))) return skip();
      touched = true;
      if (text.endsWith('!')) check(false);
    },
    veil,
    begin: result => { if (!done && !touched) drawn.begin(result); },
    waiting: `The answer appears when you have checked your ${noun}, or skipped.`,
  };
}

export const makeQuestion = (parent, question, hooks) => (question.kind === 'choice' ? choiceQuestion : drawnQuestion)(parent, question, hooks);
