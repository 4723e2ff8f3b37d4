package display

import (
	"fmt"
	"html"
	"strings"
)

const maxRows = 60 // of a matrix that are shown; a note below tells the full size

type tableEntry struct {
	text  string
	right bool
}

func writeTable(header []tableEntry, n int, row func(int) []tableEntry) string {
	var b strings.Builder
	b.WriteString("<table>\n")
	if header != nil {
		b.WriteString("<thead>")
		writeRow(&b, "th", header)
		b.WriteString("</thead>\n")
	}
	b.WriteString("<tbody>\n")
	for i := range min(n, maxRows) {
		writeRow(&b, "td", row(i))
		b.WriteByte('\n')
	}
	b.WriteString("</tbody>\n</table>")
	if n > maxRows {
		fmt.Fprintf(&b, "\n<p>The first %d of %d rows.</p>", maxRows, n)
	}
	return b.String()
}

func writeRow(b *strings.Builder, element string, entries []tableEntry) {
	b.WriteString("<tr>")
	for _, c := range entries {
		style := ` style="text-align:left"`
		if c.right {
			style = ` style="text-align:right"`
		}
		fmt.Fprintf(b, "<%s%s>%s</%s>", element, style, html.EscapeString(c.text), element)
	}
	b.WriteString("</tr>")
}
