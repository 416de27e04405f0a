// Keys and small comforts of the console. Everything here can also be done with the mouse or by Tab and Enter.
(() => {
  const typing = (element) => element.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
  const plain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
  });

  // the queue: J and K move, Enter opens (the row's own link has the focus), a click anywhere in a row opens it
  document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-ticket]");
    if (row && !event.target.closest("a, button") && !String(getSelection())) row.querySelector("a").click();
  });
  const move = (by) => {
    const links = [...document.querySelectorAll("tr[data-ticket] a")];
    if (!links.length) return;
    const now = links.indexOf(document.activeElement);
    const next = links[Math.min(links.length - 1, Math.max(0, now < 0 ? 0 : now + by))];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (!plain(event) || event.repeat && event.key === "Enter") return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "Escape" && typing(event.target)) return event.target.blur();
    if (typing(event.target)) return;
    if (document.querySelector(".queue, .figures")) {
      if (key === "j" || key === "ArrowDown" && event.target.closest("tr")) { event.preventDefault(); move(1); }
      else if (key === "k" || key === "ArrowUp" && event.target.closest("tr")) { event.preventDefault(); move(-1); }
      else if (key === "r") emitEvent("console_refresh");
      else if (key === "/") { event.preventDefault(); document.querySelector(".goto input")?.focus(); }
    }
    const desk = document.querySelector("[data-ticket-desk]");
    if (!desk) return;
    if (["1", "2", "3"].includes(key)) {
      const radio = desk.querySelector(`input[name=category][data-key="${key}"]`);
      if (radio) { event.preventDefault(); pick(radio); }
    } else if (key === "Enter") {
      if (event.target.closest("a, button, summary")) return;
      event.preventDefault();
      desk.querySelector("form[name=decide]")?.requestSubmit(desk.querySelector("button[name=accept]"));
    } else if (key === "o" || key === "/") { event.preventDefault(); desk.querySelector("select[name=other]")?.focus(); }
    else if (["j", "k", "u", "c", "d", "q"].includes(key)) { event.preventDefault(); emitEvent("console_key", { key }); }
  });

  // the ticket: what Enter will do is written on the button
  const pick = (radio) => {
    radio.checked = true;
    const other = document.querySelector("select[name=other]");
    if (other) other.value = "";
    label();
  };
  const label = () => {
    const button = document.querySelector("button[name=accept]");
    const chosen = document.querySelector("input[name=category]:checked");
    const other = document.querySelector("select[name=other]");
    if (!button || !chosen) return;
    const name = other && other.value ? other.selectedOptions[0].text.trim() : chosen.dataset.name;
    const same = !(other && other.value) && chosen.dataset.first === "1";
    button.querySelector("span").textContent = same ? `认可:${name}` : `改判为:${name}`;
    document.querySelectorAll("label.candidate").forEach((one) =>
      one.classList.toggle("chosen", one.contains(chosen) && !(other && other.value)));
  };
  document.addEventListener("change", (event) => {
    if (event.target.name === "category") pick(event.target);
    if (event.target.name === "other") { label(); event.target.blur(); }
  });
})();
