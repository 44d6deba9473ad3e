"""The style and the script of the HTML page: colours for light and dark, sorting, groups that open."""

from __future__ import annotations

STYLE = """
.cnndsl { font: 14px/1.45 system-ui, sans-serif; color-scheme: light dark }
.cnndsl { --ink: #1c2430; --soft: #687284; --line: #dfe3ea; --bar: #cfe0fb; --page: #fff }
.cnndsl table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.cnndsl th, .cnndsl td { padding: .25em .8em; text-align: left; white-space: nowrap }
.cnndsl th, .cnndsl td { color: var(--ink); background-color: transparent }
.cnndsl th { border-bottom: 1.5px solid var(--line); font-weight: 600 }
.cnndsl td { border-bottom: 1px solid var(--line) }
.cnndsl td:first-child { padding-left: calc(.8em + var(--level, 0) * 1.4em) }
.cnndsl .number { text-align: right }
.cnndsl .none { color: var(--soft) }
.cnndsl td.number { background: linear-gradient(to left, var(--bar) calc(var(--part) * 1%), transparent 0) }
.cnndsl dl { display: grid; grid-template-columns: max-content auto; gap: .15em 1.2em; color: var(--ink) }
.cnndsl dt { color: var(--soft) } .cnndsl dd { margin: 0 }
@media (prefers-color-scheme: dark) {
  .cnndsl { --ink: #e4e8ef; --soft: #95a0b3; --line: #343c49; --bar: #274472; --page: #14181f }
}
"""
PAGE_STYLE = """
body { margin: 2rem auto; padding: 0 1rem; max-width: max-content; background: #fff }
@media (prefers-color-scheme: dark) { body { background: #14181f } }
.cnndsl h1 { font-size: 1.4em; color: var(--ink) }
.cnndsl thead th { position: sticky; top: 0; background: var(--page) }
.cnndsl button { all: unset; cursor: pointer } .cnndsl button:focus-visible { outline: 2px solid var(--soft) }
.cnndsl th button::after { content: " \\2195"; color: var(--line) }
.cnndsl th[aria-sort] button::after { color: var(--ink) }
.cnndsl th[aria-sort=descending] button::after { content: " \\2193" }
.cnndsl th[aria-sort=ascending] button::after { content: " \\2191" }
.cnndsl td button::before { content: "\\25B8"; display: inline-block; width: 1.2em; margin-left: -1.2em }
.cnndsl td button[aria-expanded=true]::before { content: "\\25BE" }
.cnndsl td:first-child { padding-left: calc(1.6em + var(--level, 0) * 1.4em) }
"""
SCRIPT = """
for (const table of document.querySelectorAll(".cnndsl table")) {
  const body = table.tBodies[0], top = [], path = []
  const text = new Intl.Collator(undefined, { numeric: true })
  for (const [at, element] of [...body.rows].entries()) {
    const level = +element.dataset.level, open = element.dataset.open
    const row = { element, at, parts: [], open: open === "yes" }
    ;(level ? path[level - 1].parts : top).push(row)
    path[level] = row
    if (open) addToggle(row)
  }
  let order = (a, b) => a.at - b.at
  show()

  function addToggle(row) {
    const cell = row.element.cells[0], button = document.createElement("button")
    button.append(...cell.childNodes)
    button.ariaExpanded = row.open
    button.addEventListener("click", () => { row.open = !row.open; button.ariaExpanded = row.open; show() })
    cell.append(button)
  }
  function show() {
    const rows = []
    const walk = parts => {
      for (const row of [...parts].sort(order)) { rows.push(row.element); if (row.open) walk(row.parts) }
    }
    walk(top)
    body.replaceChildren(...rows)
  }
  function compare(a, b, at) {
    const [x, y] = [a.element.cells[at], b.element.cells[at]], numbers = "value" in x.dataset || "value" in y.dataset
    return numbers ? (x.dataset.value ?? -1) - (y.dataset.value ?? -1) : text.compare(x.textContent, y.textContent)
  }
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button"), at = head.cellIndex
    button.append(...head.childNodes)
    button.title = "sort; once more for the other way round, and again for the network's own order"
    head.append(button)
    button.addEventListener("click", () => {
      const first = head.className ? "descending" : "ascending", second = head.className ? "ascending" : "descending"
      const next = { [first]: second, [second]: null }[head.ariaSort]
      const sort = next === undefined ? first : next
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null
      head.ariaSort = sort
      const sign = sort === "descending" ? -1 : 1
      order = (a, b) => (sort ? sign * compare(a, b, at) : 0) || a.at - b.at
      show()
    })
  }
}
"""
