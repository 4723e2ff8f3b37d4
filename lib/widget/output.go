package widget

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// An Output shows what a cell can show, inside of other widgets. What it shows
// belongs to the widget's state: a page that is opened again has it. Its methods
// can be called concurrently.
type Output struct {
	m *model

	mu    sync.Mutex // guards parts
	parts []part
}

// A part is one output in the form that notebook files have.
type part struct {
	Type     string         `json:"output_type"`
	Name     string         `json:"name,omitempty"` // of a stream
	Text     string         `json:"text,omitempty"` // of a stream
	Data     map[string]any `json:"data,omitempty"`
	Metadata map[string]any `json:"metadata,omitzero"`
}

// Limits of an Output. Older parts, and the beginning of text, are dropped.
const (
	maxParts = 200
	maxText  = 256 << 10
)

// NewOutput returns an empty output.
func NewOutput() *Output {
	return &Output{m: newModel(outputs, "Output", map[string]any{
		"msg_id": "", "outputs": []part{}, "layout": layout().reference(),
	}, nil)}
}

// Show shows v in place of everything shown before; see [display.Render].
func (o *Output) Show(v any) error { return o.show(display.Render(v), true) }

// Append shows v below what was shown before.
func (o *Output) Append(v any) error { return o.show(display.Render(v), false) }

func (o *Output) show(m displayhost.Message, replace bool) error {
	metadata := m.Metadata
	if metadata == nil {
		metadata = map[string]any{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if replace {
		o.parts = nil
	}
	return o.add(part{Type: "display_data", Data: m.Data, Metadata: metadata})
}

// Write shows text, for fmt.Fprintln and the like.
func (o *Output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := part{Type: "stream", Name: "stdout"}
	if n := len(o.parts); n > 0 && o.parts[n-1].Type == "stream" {
		p, o.parts = o.parts[n-1], o.parts[:n-1]
	}
	p.Text += strings.ToValidUTF8(string(text), "\ufffd")
	if cut := len(p.Text) - maxText; cut > 0 {
		for !utf8.RuneStart(p.Text[cut]) {
			cut++
		}
		p.Text = p.Text[cut:]
	}
	return len(text), o.add(p)
}

// Clear removes what is shown.
func (o *Output) Clear() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.parts = nil
	return o.m.set("outputs", []part{}, true)
}

// add appends a part. The caller holds mu. States hold slices that no code
// changes.
func (o *Output) add(p part) error {
	parts := append(o.parts[max(0, len(o.parts)+1-maxParts):], p)
	o.parts = append([]part(nil), parts...)
	return o.m.set("outputs", o.parts, true)
}

// MIMEBundle returns the output's forms; its text form is those of its parts.
func (o *Output) MIMEBundle() map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := make([]string, len(o.parts))
	for i, p := range o.parts {
		lines[i] = p.Text
		if text, ok := p.Data["text/plain"].(string); ok {
			lines[i] = text
		}
		lines[i] = strings.TrimSuffix(lines[i], "\n")
	}
	return o.m.bundle(strings.Join(lines, "\n"))
}

func (o *Output) model() *model { return o.m }
