package session

import (
	"fmt"
	"html"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/output"
)

// helpDirective shows a table of the directives by topic, or the help of one directive.
func (r *run) helpDirective(d cell.DirectiveLine) error {
	if name := strings.TrimSpace(d.Args); name != "" {
		if text, ok := directiveHelp(name); ok {
			r.print("%s\n", text)
			return nil
		}
		return fmt.Errorf("%s is not known; %%help lists all directives", name)
	}
	var text, page strings.Builder
	page.WriteString("<table>\n")
	for _, t := range topics() {
		fmt.Fprintf(&text, "%s\n", t.name)
		fmt.Fprintf(&page, `<tr><th colspan="2" style="text-align:left">%s</th></tr>`+"\n", html.EscapeString(t.name))
		for _, d := range t.list {
			row(&text, &page, d.usage(), d.help)
		}
		text.WriteString("\n")
	}
	text.WriteString("Go\n")
	page.WriteString(`<tr><th colspan="2" style="text-align:left">Go</th></tr>` + "\n")
	row(&text, &page, "NAME?  NAME??", "what NAME is, with its documentation; where the notebook declares it")
	row(&text, &page, "Out[3]  In[3]", "what cell 3 has shown; its text")
	row(&text, &page, "anything else", "imports, declarations and statements in any order; the value of an expression at the end is shown")
	page.WriteString("</table>")
	r.sink.Display(output.Display{Data: output.Bundle{"text/plain": strings.TrimRight(text.String(), "\n"), "text/html": page.String()}})
	return nil
}

func row(text, page *strings.Builder, usage, help string) {
	fmt.Fprintf(text, "  %-44s %s\n", usage, help)
	fmt.Fprintf(page, `<tr><td style="text-align:left"><code>%s</code></td><td style="text-align:left">%s</td></tr>`+"\n", html.EscapeString(usage), html.EscapeString(help))
}

func (d directive) usage() string {
	return strings.TrimSpace(strings.Join(d.names, ", ") + " " + d.args)
}

// directiveHelp describes one directive.
func directiveHelp(name string) (string, bool) {
	for _, d := range directives() {
		for _, known := range d.names {
			if known == name || known == "%"+name {
				return d.usage() + "\n\n" + d.help, true
			}
		}
	}
	return "", false
}

// lsmagicDirective lists the names of all directives.
func (r *run) lsmagicDirective(cell.DirectiveLine) error {
	var names []string
	for _, d := range directives() {
		names = append(names, d.names...)
	}
	r.print("%s\n", strings.Join(names, "  "))
	return nil
}
