// The front end of every demo of ibtext: an anywidget module, also mounted on static pages by book/assets/ib/ibstatic.js.
import { View } from './view.js';

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.destroy();
  },
};
