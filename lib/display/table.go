package display

import (
	"fmt"
	"html"
	"strings"
)

const maxRows = 60 // of a matrix that are shown; a note below tells the full size

// writeTable writes rows of numbers as an HTML table.
func writeTable(rows [][]string) string {
	var b strings.Builder
	b.WriteString("<table>\n<tbody>\n")
	for _, row := range rows {
		b.WriteString("<tr>")
		for _, text := range row {
			fmt.Fprintf(&b, `<td style="text-align:right">%s</td>`, html.EscapeString(text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>")
	return b.String()
}
