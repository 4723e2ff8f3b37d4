package session

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A plotSink keeps the data and metadata of displays and the result.
type plotSink struct {
	*transcript
	data     []output.Bundle
	metadata []map[string]any
}

func (s *plotSink) Display(d output.Display) { s.Result(d.Data, d.Metadata) }

func (s *plotSink) Result(data output.Bundle, metadata map[string]any) {
	s.data, s.metadata = append(s.data, data), append(s.metadata, metadata)
}

const plotCell = `import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/mp"
)
func draw(inches float64) error {
	return display.PlotSize(plot.New(), vg.Length(inches)*vg.Inch, 2*vg.Inch)
}
process, err := mp.Start(context.Background(), BACKEND, draw, 3.0)
if err != nil {
	panic(err)
}
if err := process.Join(context.Background()); err != nil {
	panic(err)
}
plot.New()`

// checkPlots checks that a plot has a PNG picture, since front ends do not show SVG in
// a notebook that they do not trust. scale is its number of pixels for each pixel of the
// page: 2 if the process that draws has a rasterizer.
func checkPlots(t *testing.T, s *Session, backend string, scale int) {
	sink := &plotSink{transcript: &transcript{}}
	if reply := s.Execute(t.Context(), output.Request{Code: strings.ReplaceAll(plotCell, "BACKEND", backend), StoreHistory: true}, sink); reply.Error != nil {
		t.Fatalf("%s: %s", reply.Error.Name, strings.Join(reply.Error.Traceback, "\n"))
	}
	if len(sink.data) != 2 {
		t.Fatalf("%d outputs, want the task's plot and the result", len(sink.data))
	}
	for i, size := range [][2]int{{288, 192}, {576, 384}} {
		if svg, _ := sink.data[i]["image/svg+xml"].(string); !strings.Contains(svg, "viewBox") {
			t.Errorf("%d: SVG %.100q", i, svg)
		}
		text, _ := sink.data[i]["image/png"].(string)
		picture, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil || cfg.Width != scale*size[0] || cfg.Height != scale*size[1] {
			t.Errorf("%d: a picture of %d × %d pixels: %v", i, cfg.Width, cfg.Height, err)
		}
		shown, _ := sink.metadata[i]["image/png"].(map[string]any)
		if shown["width"] != float64(size[0]) || shown["height"] != float64(size[1]) {
			t.Errorf("%d: metadata %v", i, sink.metadata[i])
		}
	}
}

func TestPlotsHavePNG(t *testing.T) { checkPlots(t, newTestSession(t), "mp.Processes", 2) }
func TestStandalonePlotsHavePNG(t *testing.T) {
	checkPlots(t, newStandaloneSession(t), "mp.Goroutines", 1)
}
