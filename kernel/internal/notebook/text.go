package notebook

import (
	"strings"

	"github.com/perijove/perijove/kernel/internal/output"
)

// New returns a notebook that has the cells of a history as code cells, with their execution counts.
func New(cells []output.HistoryEntry) (*Notebook, error) {
	nb := &Notebook{minor: 5}
	for _, entry := range cells {
		c, err := nb.newCode(entry.Input)
		if err != nil {
			return nil, err
		}
		c.ExecutionCount = entry.Line
		nb.Cells = append(nb.Cells, c)
	}
	return nb, nil
}

// Markdown returns the notebook as Markdown: the text, the code in fenced blocks, and the stored outputs as text
// in fenced blocks. Outputs without a text form are left out.
func (nb *Notebook) Markdown() string {
	var out strings.Builder
	block := func(language, text string) {
		if text = strings.TrimRight(text, "\n"); text == "" {
			return
		}
		fence := "```"
		for strings.Contains(text, fence) {
			fence += "`"
		}
		out.WriteString(fence + language + "\n" + text + "\n" + fence + "\n\n")
	}
	for _, c := range nb.Cells {
		if c.Type != CodeCell {
			if text := strings.TrimSpace(c.Source); text != "" {
				out.WriteString(text + "\n\n")
			}
			continue
		}
		block("go", c.Source)
		block("text", outputText(c.Outputs))
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// outputText returns the text forms of outputs. Streams follow one another; other outputs are on separate lines.
func outputText(outputs []Output) string {
	var text strings.Builder
	line := func(s string) {
		if text.Len() > 0 && !strings.HasSuffix(text.String(), "\n") {
			text.WriteString("\n")
		}
		text.WriteString(s)
	}
	for _, o := range outputs {
		switch o.Type {
		case StreamOutput:
			text.WriteString(withoutColors(o.Text))
		case ErrorOutput:
			if o.Err != nil {
				line(withoutColors(strings.Join(o.Err.Traceback, "\n")) + "\n")
			}
		default:
			if s, ok := o.Data["text/plain"].(string); ok {
				line(s)
			}
		}
	}
	return text.String()
}

// withoutColors removes the escape sequences of terminals.
func withoutColors(text string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, "\x1b[")
		if i < 0 {
			return terminalText(out.String() + text)
		}
		out.WriteString(text[:i])
		text = text[i+len("\x1b["):]
		n := strings.IndexFunc(text, func(r rune) bool { return r >= '@' && r <= '~' })
		if n < 0 {
			return terminalText(out.String())
		}
		text = text[n+1:]
	}
}
