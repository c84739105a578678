// Comma-separated values, read and written as RFC 4180 says.

/** The rows of a file, each a list of fields; fields are apart by a tab if the first line has more of those. */
export function parse(content) {
  const text = content.replace(/^\uFEFF/, "");
  const firstLine = text.split(/\r?\n/, 1)[0];
  const separator = ["\t", ";", ","].reduce((a, b) => (firstLine.split(b).length > firstLine.split(a).length ? b : a), ",");
  const rows = [];
  let row = [], field = "", quoted = false, wasQuoted = false;
  const endField = () => {
    row.push(field);
    field = "";
    wasQuoted = false;
  };
  const endRow = () => {
    endField();
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  };
  for (let place = 0; place < text.length; place++) {
    const sign = text[place];
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[place + 1] === '"') field += text[++place];
      else quoted = false;
    } else if (sign === '"' && field === "" && !wasQuoted) quoted = wasQuoted = true;
    else if (sign === separator) endField();
    else if (sign === "\n") endRow();
    else if (sign !== "\r" || text[place + 1] !== "\n") field += sign;
  }
  if (field !== "" || row.length) endRow();
  return rows;
}

/** A file of these rows. What a spreadsheet would run as a formula is written as text. */
export function write(rows) {
  const field = (value) => {
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}
