package main

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"io"
	"log/slog"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A pictureSink keeps the data of displays and results. Cells must not call its other methods.
type pictureSink struct {
	output.Sink
	data []output.Bundle
	text string
}

func (s *pictureSink) Started(int)                              {}
func (s *pictureSink) Stream(_, text string)                    { s.text += text }
func (s *pictureSink) Display(d output.Display)                 { s.data = append(s.data, d.Data) }
func (s *pictureSink) Result(b output.Bundle, _ map[string]any) { s.data = append(s.data, b) }
func (s *pictureSink) Error(e *output.Error)                    { s.text += e.Name + ": " + e.Value }

// pngOf returns the only PNG picture among what the sink keeps.
func (s *pictureSink) pngOf(t *testing.T) []byte {
	t.Helper()
	var found []byte
	for _, data := range s.data {
		text, ok := data["image/png"].(string)
		if !ok {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil || found != nil {
			t.Fatalf("a second picture, or error %v", err)
		}
		if img, err := png.Decode(bytes.NewReader(b)); err != nil || img.Bounds().Dx() < 100 {
			t.Fatalf("the picture is damaged: error %v", err)
		}
		found = b
	}
	if found == nil {
		t.Fatalf("there is no picture in %d outputs; text: %s", len(s.data), s.text)
	}
	return found
}

// A quietSession is a session whose kernel releases its code and constants as soon as no cell runs.
type quietSession struct {
	*trimmedSession
	released chan bool
}

func newQuietSession(t *testing.T) quietSession {
	t.Helper()
	goCommand, err := findGo()
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	session, err := newSession(t.Context(), goCommand, t.TempDir(), "", io.Discard, log)
	if err != nil {
		t.Fatal(err)
	}
	s := quietSession{released: make(chan bool, 100)}
	s.trimmedSession = &trimmedSession{Session: session, release: func() {
		trimAfterStart(log)
		releaseFilePages(log)
		s.released <- true
	}}
	t.Cleanup(func() { s.Close() })
	return s
}

// run runs a cell, waits for the release after it, and returns the cell's output.
func (s quietSession) run(t *testing.T, code string) *pictureSink {
	t.Helper()
	sink := &pictureSink{}
	if r := s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, sink); r.Error != nil {
		t.Fatalf("%s: %s", r.Error.Name, r.Error.Value)
	}
	<-s.released
	return sink
}

const idlePlot = `import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

p := plot.New()
p.Title.Text = "Plot after idle time"
p.X.Label.Text = "x"
line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 1}, {X: 2, Y: 3}})
if err != nil {
	panic(err)
}
p.Add(line, plotter.NewGrid())
p`

// TestPlotAfterIdleTime checks that a plot is the same whether it is drawn by the first cell of a kernel, by its first
// cell after the kernel has released its code and constants, or by a later cell. The kernel draws the picture of a
// traced cell itself.
func TestPlotAfterIdleTime(t *testing.T) {
	first := newQuietSession(t).run(t, idlePlot).pngOf(t)
	s := newQuietSession(t)
	s.run(t, `fmt.Println("hello")`)
	for range 2 {
		if !bytes.Equal(s.run(t, idlePlot).pngOf(t), first) {
			t.Error("the plot after idle time is another one")
		}
	}
	s.run(t, "%%trace\nfmt.Println(\"traced\")").pngOf(t)
}
