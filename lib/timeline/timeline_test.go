package timeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func example() *Timeline {
	return New("Who ran when", []Span{
		{Lane: "worker 2", Begin: at(10), End: at(40), Label: "a", Series: "goroutines"},
		{Lane: "worker 1", Begin: at(0), End: at(20), Label: "b", Series: "processes"},
		{Lane: "worker 1", Begin: at(15), End: at(30), Label: "a label that is too long for its bar", Series: "processes"},
	}, Mark{Lane: "main", At: at(50), Label: "X = 3"})
}

func TestTextListsEverythingInOrder(t *testing.T) {
	want := `worker 2: 10ms to 40ms goroutines a
worker 1: 0s to 20ms processes b; 15ms to 30ms processes a label that is too long for its bar
main: at 50ms X = 3`
	if got := example().String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestPicture(t *testing.T) {
	svg := example().SVG()
	for _, want := range []string{"Who ran when", "worker 1", "worker 2", "main", ">b<", "X = 3", "goroutines", "20 ms"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
	if strings.Contains(svg, ">a label that is too long") {
		t.Error("a label is drawn beyond its bar")
	}
	if a, b := strings.Index(svg, ">worker 2<"), strings.Index(svg, ">main<"); a < 0 || b < 0 {
		t.Error("the lanes have no names")
	}
	file := filepath.Join(t.TempDir(), "timeline.png")
	tl := example()
	if err := tl.Save(tl.Width, tl.Height, file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("the PNG file: %v, %v", info, err)
	}
}

func TestManySpans(t *testing.T) {
	var spans []Span
	for i := range 10_000 {
		spans = append(spans, Span{Lane: fmt.Sprint("worker ", i%4), Begin: at(i), End: at(i + 3), Label: fmt.Sprint(i)})
	}
	tl := New("many", spans)
	if text := tl.String(); strings.Count(text, "\n") != 3 || !strings.Contains(text, "and 2480 more") {
		t.Errorf("the text has %d bytes", len(text))
	}
	if tl.Height < 4*20 || tl.Height > 4*vg.Inch {
		t.Errorf("4 lanes are %v points high", tl.Height)
	}
}

func TestEmpty(t *testing.T) {
	if svg := New("nothing", nil).SVG(); !strings.Contains(svg, "nothing") {
		t.Error("an empty timeline has no picture")
	}
	one := New("one", nil, Mark{Lane: "a", At: at(0)})
	if svg := one.SVG(); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("a single mark is drawn at no place")
	}
}

func TestBusyCountsOverlapsOnce(t *testing.T) {
	if d := example().Busy("worker 1"); d != 30*time.Millisecond {
		t.Errorf("worker 1 was busy for %v, want 30ms", d)
	}
	if d := example().Busy("main"); d != 0 {
		t.Errorf("main was busy for %v", d)
	}
}
