package compilerview

import (
	"fmt"
	"html"
	"strings"
)

// Decisions renders the decisions about code, by source line, as text and as HTML. source returns a line of a cell.
// If verbose is true, the text also says how values reach the heap. The HTML always says this, in a text that appears
// when the pointer rests on an entry.
func Decisions(list []Decision, source func(file string, line int) string, verbose bool) (text, page string) {
	var b, p strings.Builder
	p.WriteString("<table>\n")
	for i, d := range list {
		if i == 0 || list[i-1].File != d.File || list[i-1].Line != d.Line {
			line := strings.TrimSpace(source(d.File, d.Line))
			fmt.Fprintf(&b, "%s line %d: %s\n", d.File, d.Line, line)
			fmt.Fprintf(&p, `<tr><th colspan="3" style="text-align:left">%s line %d: <code>%s</code></th></tr>`+"\n", html.EscapeString(d.File), d.Line, html.EscapeString(line))
		}
		fmt.Fprintf(&b, "    %-12s %s\n", d.Kind, d.Text)
		if verbose {
			for _, why := range d.Why {
				fmt.Fprintf(&b, "                 %s\n", why)
			}
		}
		hover := ""
		if len(d.Why) > 0 {
			hover = ` title="` + html.EscapeString(strings.Join(d.Why, "\n")) + `"`
		}
		fmt.Fprintf(&p, `<tr%s><td style="text-align:right">%d</td><td style="text-align:left">%s</td><td style="text-align:left">%s</td></tr>`+"\n", hover, d.Col, d.Kind, html.EscapeString(d.Text))
	}
	p.WriteString("</table>")
	return strings.TrimSuffix(b.String(), "\n"), p.String()
}
