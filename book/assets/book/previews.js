// Shows what a reference refers to, while the pointer or the keyboard is on it. The texts stand in the page (tools/sphinx/previews.py).
(() => {
  const WAIT = 200; // milliseconds: a pointer that passes by opens nothing
  let texts = null, box = null, shown = null, timer = 0;

  const load = () => (texts ??= JSON.parse(document.getElementById("ib-previews")?.textContent || "{}"));

  function close() {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    box?.remove();
    box = shown = null;
  }

  function place() {
    const link = shown.getBoundingClientRect(), size = box.getBoundingClientRect(), edge = 8;
    const room = document.documentElement.clientWidth - size.width - edge;
    const below = link.bottom + size.height + edge < window.innerHeight || link.top < size.height + edge;
    box.style.left = `${Math.max(edge, Math.min(link.left, room)) + window.scrollX}px`;
    box.style.top = `${(below ? link.bottom + 4 : link.top - size.height - 4) + window.scrollY}px`;
  }

  function open(link) {
    const text = load()[link.dataset.ibPreview];
    if (!text || shown === link) return;
    close();
    shown = link;
    box = document.createElement("div");
    box.className = "ib-preview";
    box.id = "ib-preview";
    box.setAttribute("role", "tooltip");
    box.innerHTML = text;
    box.addEventListener("pointerleave", close);
    document.body.append(box);
    link.removeAttribute("title");
    link.setAttribute("aria-describedby", box.id);
    place();
    window.MathJax?.typesetPromise?.([box]).then(() => box && place());
  }

  document.addEventListener("pointerover", (event) => {
    const link = event.target.closest?.("a[data-ib-preview]");
    if (link && event.pointerType !== "touch") {
      clearTimeout(timer);
      timer = setTimeout(open, WAIT, link);
    } else if (!event.target.closest?.(".ib-preview")) {
      clearTimeout(timer);
      if (shown && document.activeElement !== shown) timer = setTimeout(close, WAIT);
    } else {
      clearTimeout(timer);
    }
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.("a[data-ib-preview]");
    if (link?.matches(":focus-visible")) open(link);
    else if (shown && !box?.contains(event.target)) close();
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
  window.addEventListener("beforeprint", close);
})();
