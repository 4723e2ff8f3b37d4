package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

const ms = time.Millisecond

// example is a trace with one goroutine that starts a child, which waits for a lock and
// runs two tasks, and ends without closing its trace.
func example() *exectrace.Trace {
	first := &exectrace.Process{PID: 100, First: true, File: "process-100.trace", End: 100 * ms}
	child := &exectrace.Process{PID: 101, Parent: 100, File: "process-101.trace", Begin: 10 * ms, End: 80 * ms, Problem: "it ended without closing its trace"}
	for i := range 11 {
		first.CPU = append(first.CPU, exectrace.Sample{At: time.Duration(10*i) * ms, Used: time.Duration(8*i) * ms})
	}
	first.GC = []exectrace.Span{{Kind: exectrace.GC, Name: "GC concurrent mark phase", Begin: 30 * ms, End: 40 * ms}}
	state := func(kind exectrace.Kind, from, to int, reason string) exectrace.State {
		s := exectrace.State{Kind: kind, Begin: time.Duration(from) * ms, End: time.Duration(to) * ms, Reason: reason, P: -1, Thread: -1}
		if kind == exectrace.Running {
			s.P, s.Thread = 1, 77
		}
		if reason != "" {
			s.At = exectrace.Line{File: "Cell [3]", Line: 4}
		}
		return s
	}
	main := &exectrace.Goroutine{Process: first, ID: 1, Name: "main.work", States: []exectrace.State{
		state(exectrace.Running, 0, 20, ""), state(exectrace.Runnable, 20, 25, ""), state(exectrace.Syscall, 25, 30, ""), state(exectrace.Blocked, 30, 100, "chan receive")},
		Marks: []exectrace.Mark{{At: 5 * ms, Category: "x", Text: "X = 1"}, {At: 6 * ms, Text: "no room"}, {At: 60 * ms, Text: "X = 2"}},
		Spans: []exectrace.Span{{Kind: exectrace.Held, Name: "lock 1", Begin: 2 * ms, End: 40 * ms, Index: -1}}}
	task := &exectrace.Goroutine{Process: child, ID: 1, Name: "main.<task> & more", States: []exectrace.State{
		state(exectrace.Blocked, 10, 40, "a lock"), state(exectrace.Running, 40, 80, "")},
		Spans: []exectrace.Span{{Kind: exectrace.Task, Name: "main.square", Index: 0, Begin: 10 * ms, End: 60 * ms}, {Kind: exectrace.Task, Name: "main.square", Index: 1, Begin: 60 * ms, End: 80 * ms}}}
	first.Goroutines, child.Goroutines = []*exectrace.Goroutine{main}, []*exectrace.Goroutine{task}
	place := func(g *exectrace.Goroutine, at int) exectrace.Place {
		return exectrace.Place{Goroutine: g, Process: g.Process, At: time.Duration(at) * ms}
	}
	return &exectrace.Trace{
		Folder: "trace", Cores: 2, Length: 100 * ms, Events: 1234, Processes: []*exectrace.Process{first, child},
		Arrows: []exectrace.Arrow{
			{Kind: exectrace.Starts, From: place(main, 1), To: place(task, 10)},
			{Kind: exectrace.Wakes, What: "chan receive", From: place(main, 15), To: place(task, 15)},
			{Kind: exectrace.Passes, What: "queue 1", From: place(task, 70), To: place(main, 90)},
			{Kind: exectrace.Unlocks, What: "lock 1", From: place(main, 40), To: place(task, 41)},
		},
		Problems: []string{"process 101: it ended without closing its trace"},
	}
}

// texts returns the texts of an SVG, which must be well-formed.
func texts(t *testing.T, svg string) (all []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if text, ok := token.(xml.CharData); ok {
			all = append(all, string(text))
		}
	}
}

func TestPictureTellsEverything(t *testing.T) {
	c := New(example())
	if all := strings.Join(texts(t, c.SVG()), "\n"); !strings.Contains(all, "100ms on 2 cores, 2 processes") ||
		!strings.Contains(all, "process 100 · 0.80 cores") || !strings.Contains(all, "child 101") ||
		!strings.Contains(all, "square 1") || !strings.Contains(all, "queue 1") || !strings.Contains(all, "passes a value") || !strings.Contains(all, "\nX = 1\n") || strings.Contains(all, "\nno room\n") {
		t.Errorf("the labels of the SVG are %s", all)
	}
	for form, all := range map[string]string{"SVG": strings.Join(texts(t, c.SVG()), "\n"), "HTML": html.UnescapeString(c.HTML())} {
		for _, want := range []string{
			"work (1)", "<task> & more (1)",
			"running, 20ms from 0s on; P 1, thread 77", "waiting: chan receive at Cell [3] line 4, 70ms from 30ms on", "waiting: a lock at Cell [3] line 4",
			"task 1, square, 20ms from 60ms on", "lock 1 held, 38ms", "GC concurrent mark phase, 10ms", "0.80 of 2 cores in use",
			"x: X = 1 at 5ms", "no room at 6ms", "<task> & more (1) passes a value to work (1) (queue 1), 70ms to 90ms",
			"work (1) passes the lock to <task> & more (1) (lock 1)", "it ended without closing its trace",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("the %s lacks %q", form, want)
			}
		}
		if strings.Contains(all, "NaN%") || strings.Contains(all, "NaN\"") || strings.Contains(all, "Inf%") {
			t.Errorf("the %s has invalid numbers", form)
		}
	}
	if !strings.Contains(c.SVG(), "prefers-color-scheme:dark") || !strings.Contains(c.SVG(), "incomplete: process 101") {
		t.Error("the document lacks its colours or its note")
	}
	// Front ends remove SVG from the HTML of a notebook that they do not trust.
	if strings.Contains(c.HTML(), "<svg") || !strings.Contains(c.HTML(), `src="data:image/png;base64,`) {
		t.Error("the part of a page has no PNG")
	}
}

// TestGoldenPicture compares the PNG with a stored one: on average, a color may differ
// by 2 of 255, and one pixel of a thousand may differ clearly.
func TestGoldenPicture(t *testing.T) {
	b := New(example()).PNG()
	const name = "testdata/example.png"
	if os.Getenv("UPDATE_PICTURES") != "" {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got, want := decode(t, b), decode(t, stored)
	if got.Bounds() != want.Bounds() {
		t.Fatalf("the picture has %v, want %v", got.Bounds(), want.Bounds())
	}
	if d, clearly := difference(got, want); d > 2 || clearly > 0.001 {
		t.Errorf("colours differ by %.1f on average, %.4f of the pixels clearly; UPDATE_PICTURES=1 stores the new picture: look at it", d, clearly)
	}
	if d, _ := difference(got, image.NewUniform(image.White)); d < 2 {
		t.Errorf("the picture is white: %.1f", d)
	}
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	p, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// difference returns the mean difference of colors, and the share of pixels that differ by
// more than 64 of 255 in a color.
func difference(a, b image.Image) (mean, clearly float64) {
	var sum, n, many float64
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			most := 0.0
			for _, d := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}} {
				one := float64(max(d[0], d[1])-min(d[0], d[1])) / 257
				sum, n, most = sum+one, n+1, max(most, one)
			}
			if most > 64 {
				many++
			}
		}
	}
	return sum / n, 3 * many / n
}

// many returns a trace of processes with tasks: one million states in all if tasks is
// large enough.
func many(processes, goroutines, tasks int) *exectrace.Trace {
	t := &exectrace.Trace{Cores: 4, Length: time.Second}
	for n := range processes {
		p := &exectrace.Process{PID: 100 + n, First: n == 0, End: time.Second}
		for id := range goroutines {
			g := &exectrace.Goroutine{Process: p, ID: int64(id), Name: "main.task"}
			step := time.Second / time.Duration(tasks)
			for i := range tasks {
				at := time.Duration(i) * step
				g.States = append(g.States,
					exectrace.State{Kind: exectrace.Running, Begin: at, End: at + step/2, P: 1, Thread: 7},
					exectrace.State{Kind: exectrace.Blocked, Begin: at + step/2, End: at + step, Reason: "select", P: -1, Thread: -1})
				g.Spans = append(g.Spans, exectrace.Span{Kind: exectrace.Task, Name: "main.task", Index: i, Begin: at, End: at + step/2})
				if n > 0 {
					t.Arrows = append(t.Arrows, exectrace.Arrow{Kind: exectrace.Tasks, From: exectrace.Place{Process: t.Processes[0], At: at}, To: exectrace.Place{Goroutine: g, Process: p, At: at}})
				}
			}
			p.Goroutines = append(p.Goroutines, g)
		}
		t.Processes = append(t.Processes, p)
	}
	return t
}

// TestBounded checks that a picture of a million states is small and names what it leaves
// out.
func TestBounded(t *testing.T) {
	tr := many(4, 100, 1250)
	c := New(tr)
	if n := len(c.shapes); n > 2*maxShapes+maxArrows+1000 {
		t.Errorf("%d shapes", n)
	}
	for _, want := range []string{"340 goroutines", "arrows", "states shorter than a pixel are drawn together"} {
		if !strings.Contains(c.LeftOut(), want) {
			t.Errorf("left out: %q lacks %q", c.LeftOut(), want)
		}
	}
	if _, h := c.Size(); h > 3000 {
		t.Errorf("the picture is %v pixels high", h)
	}
	if n := len(c.HTML()); n > 8<<20 {
		t.Errorf("%d bytes", n)
	}
}

func TestEmptyTrace(t *testing.T) {
	c := New(&exectrace.Trace{Processes: []*exectrace.Process{{PID: 1, First: true}}})
	if all := strings.Join(texts(t, c.SVG()), " "); !strings.Contains(all, "process 1") || strings.Contains(c.SVG(), "NaN") {
		t.Errorf("the picture of nothing: %s", all)
	}
}

// BenchmarkDraw draws 4 processes with 1,000 tasks each.
func BenchmarkDraw(b *testing.B) {
	tr := many(4, 1, 1000)
	for b.Loop() {
		c := New(tr)
		if len(c.PNG()) == 0 || len(c.HTML()) == 0 {
			b.Fatal("no picture")
		}
	}
}

func ExampleNew() {
	t := &exectrace.Trace{Cores: 2, Length: 3 * time.Millisecond, Processes: []*exectrace.Process{{PID: 7, First: true}}}
	fmt.Println(New(t))
	// Output:
	// 3ms on 2 cores, 1 process, 0 events
	// process 7, 0 goroutines
}
