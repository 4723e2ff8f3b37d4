package widget

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// An Output shows the output of a cell, such as text and pictures, inside of other
// widgets. The output is part of the widget's state, so a page still has it after a
// reload. Its methods can be called concurrently.
type Output struct {
	m *model

	mu    sync.Mutex // guards parts
	parts []part
}

// A part is one output, in the format of notebook files.
type part struct {
	Type     string         `json:"output_type"`
	Name     string         `json:"name,omitempty"` // name of a stream, such as "stdout"
	Text     string         `json:"text,omitempty"` // text of a stream
	Data     map[string]any `json:"data,omitempty"`
	Metadata map[string]any `json:"metadata,omitzero"`
}

// Limits of an Output. Beyond them, the oldest parts and the beginning of a text are
// dropped.
const (
	maxParts = 200
	maxText  = 256 << 10 // bytes of a part that is text
)

// NewOutput returns an empty output.
func NewOutput() *Output {
	return &Output{m: newModel(outputs, "Output", map[string]any{
		"msg_id": "", "outputs": []part{}, "layout": layout().reference(),
	}, nil)}
}

// Show replaces all output by v; see [display.Render].
func (o *Output) Show(v any) error { return o.show(display.Render(v), true) }

// Append adds v below the present output.
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

// Write adds text below the present output. It makes an Output an io.Writer, for
// fmt.Fprintln for example.
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

// Clear removes all output.
func (o *Output) Clear() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.parts = nil
	return o.m.set("outputs", []part{}, true)
}

// add appends a part. The caller holds mu. add makes a new slice each time, because the
// model's state still refers to the old one.
func (o *Output) add(p part) error {
	parts := append(o.parts[max(0, len(o.parts)+1-maxParts):], p)
	o.parts = append([]part(nil), parts...)
	return o.m.set("outputs", o.parts, true)
}

// MIMEBundle returns the output's forms by MIME type. The text form consists of the text
// forms of its parts.
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
