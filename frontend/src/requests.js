// What is asked of the kernel: never more than one setting at a time, and when its answer comes, the newest.
import { equal } from './state.js';

const PATIENCE = 10_000;                                                 // a kernel that was silent for so long was probably restarted

export class Requests {
  /** `listening` is false on a static page, where nobody answers. */
  constructor(model, names, listening) {
    Object.assign(this, { model, names, listening, sent: null, next: null, sending: false });
  }

  get waiting() { return this.sent !== null; }

  push(params) {
    if (this.sent && performance.now() - this.since < PATIENCE) this.next = params;
    else this.send(params);
  }

  send(params) {
    this.next = null;
    this.sending = true;
    this.names.forEach(k => this.model.set(k, params[k]));
    this.sending = false;
    this.model.save_changes();
    const known = this.model.get('_frame').parameters;
    this.sent = this.listening && !(known && equal(known, params, this.names)) ? params : null;
    this.since = performance.now();
  }

  /** A frame has come. */
  answered(frame) {
    if (!this.sent || !frame.parameters || !equal(frame.parameters, this.sent, this.names)) return;
    this.sent = null;
    if (this.next) this.send(this.next);
  }
}
