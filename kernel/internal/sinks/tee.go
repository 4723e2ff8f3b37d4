package sinks

import (
	"io"
	"os"
	"sync"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A Tee passes output on and also writes its text to a file.
type Tee struct {
	output.Sink
	mu sync.Mutex
	f  *os.File // nil after an error; guarded by mu
}

// NewTee returns a sink that passes everything on to s, and copies it to f.
func NewTee(s output.Sink, f *os.File) *Tee { return &Tee{Sink: s, f: f} }

// Unwrap returns the sink to which t passes output on.
func (t *Tee) Unwrap() output.Sink { return t.Sink }

func (t *Tee) unwrap() output.Sink { return t.Sink }

// write writes text to the file. An error is shown once and does not end the cell.
func (t *Tee) write(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return
	}
	if _, err := io.WriteString(t.f, text); err != nil {
		t.Sink.Stream(output.Stderr, "%capture: "+err.Error()+"\n")
		t.f.Close()
		t.f = nil
	}
}

// Stream copies text to the file and passes it on.
func (t *Tee) Stream(name, text string) {
	t.Sink.Stream(name, text)
	t.write(text)
}

// Display copies the text of a display to the file and passes the display on.
func (t *Tee) Display(d output.Display) {
	t.Sink.Display(d)
	for _, mime := range []string{"text/html", "text/markdown", "text/plain"} {
		if text, ok := d.Data[mime].(string); ok {
			t.write(text)
			return
		}
	}
}
