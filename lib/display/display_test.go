package display

import (
	"bytes"
	"encoding/json"
	"image"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/display/displayhost"
)

// record installs a sink for the test and returns what it received.
func record(t *testing.T) *[]displayhost.Message {
	t.Helper()
	var got []displayhost.Message
	displayhost.SetSink(func(m displayhost.Message) error {
		got = append(got, m)
		return nil
	})
	t.Cleanup(func() { displayhost.SetSink(nil) })
	return &got
}

func TestShowFunctions(t *testing.T) {
	svg := `<svg width="4" height="3"><g/></svg>`
	tests := []struct {
		name string
		call func() error
		mime string
		want any
		text string
	}{
		{"HTML", func() error { return HTML("<p>a &lt; <b>b</b></p><p>c</p>") }, "text/html", "<p>a &lt; <b>b</b></p><p>c</p>", "a < b\nc"},
		{"Markdown", func() error { return Markdown("*x*") }, "text/markdown", "*x*", "*x*"},
		{"Latex", func() error { return Latex("$x$") }, "text/latex", "$x$", "$x$"},
		{"SVG", func() error { return SVG(svg) }, "image/svg+xml",
			`<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><g/></svg>`, "[SVG picture, 4 × 3]"},
		{"JSON", func() error { return JSON([]int{1}) }, "application/json", json.RawMessage("[\n  1\n]"), "[\n  1\n]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := record(t)
			if err := tt.call(); err != nil {
				t.Fatal(err)
			}
			m := (*got)[0]
			if m.Kind != displayhost.KindShow || !reflect.DeepEqual(m.Data[tt.mime], tt.want) || m.Data["text/plain"] != tt.text {
				t.Errorf("got %+v, want %s %v and text %q", m, tt.mime, tt.want, tt.text)
			}
		})
	}
}

func TestImage(t *testing.T) {
	got := record(t)
	if err := Image(image.NewGray(image.Rect(0, 0, 5, 7))); err != nil {
		t.Fatal(err)
	}
	m := (*got)[0]
	size, _ := m.Metadata["image/png"].(map[string]any)
	if png, _ := m.Data["image/png"].(string); !strings.HasPrefix(png, "iVBOR") || size["width"] != 5 || size["height"] != 7 {
		t.Errorf("got %+v", m)
	}
}

func TestBadPictures(t *testing.T) {
	record(t)
	for name, err := range map[string]error{
		"png":       PNG([]byte("no")),
		"jpeg":      JPEG(nil),
		"svg":       SVG("<p>no</p>"),
		"svg cut":   SVG("<svg><g>"),
		"image nil": Image(nil),
		"empty id":  Update("", 1),
		"no area":   PlotSize(plotShape{}, 0, 1),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "display: ") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

type plotLength float64

// plotShape has the shape of gonum's *plot.Plot.
type plotShape struct{}

func (plotShape) WriterTo(w, h plotLength, format string) (io.WriterTo, error) {
	return bytes.NewBufferString(`<svg xmlns="http://www.w3.org/2000/svg" class="` + format + `"/>`), nil
}

func TestPlotIsShownWithoutItsPackage(t *testing.T) {
	got := record(t)
	if err := Plot(plotShape{}); err != nil {
		t.Fatal(err)
	}
	if err := Show(plotShape{}); err != nil {
		t.Fatal(err)
	}
	for _, m := range *got {
		if svg, _ := m.Data["image/svg+xml"].(string); !strings.Contains(svg, `class="svg"`) {
			t.Errorf("got %+v", m)
		}
	}
	if len(*got) != 2 {
		t.Errorf("%d messages, want 2", len(*got))
	}
}

func TestHandleShowsOnceThenUpdates(t *testing.T) {
	got := record(t)
	var h Handle
	for i := range 3 {
		if err := h.Show(i); err != nil {
			t.Fatal(err)
		}
	}
	kinds := []displayhost.Kind{}
	for i, m := range *got {
		kinds = append(kinds, m.Kind)
		if m.ID == "" || m.ID != (*got)[0].ID || m.Data["text/plain"] != string(rune('0'+i)) {
			t.Errorf("message %d is %+v", i, m)
		}
	}
	if want := []displayhost.Kind{displayhost.KindShow, displayhost.KindUpdate, displayhost.KindUpdate}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
}
