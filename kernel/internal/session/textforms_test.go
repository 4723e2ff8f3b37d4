package session

import (
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A formSink collects the forms of displays and results.
type formSink struct {
	*transcript
	shown []output.Bundle
}

func (s *formSink) Display(d output.Display) { s.shown = append(s.shown, d.Data) }

func (s *formSink) Result(data output.Bundle, _ map[string]any) { s.shown = append(s.shown, data) }

// TestTextForms shows values of all kinds. A front end without HTML, scripts and ipywidgets shows the text form of each
// value.
func TestTextForms(t *testing.T) {
	s := newTestSession(t)
	show(t, s, `import (
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/plotstyle"
	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/exectrace/chart"
	"github.com/perijove/perijove/lib/widget"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)
type Moon struct { Name string; Days float64; Tags []string; Next *Moon }
moons := []Moon{{"Io", 1.77, nil, nil}, {"Europa", 3.55, []string{"ice"}, nil}}`)
	for _, test := range []struct{ name, code, want string }{
		{"table", "moons", "1  Europa  3.55"},
		{"map", `map[string]int{"a": 1}`, `"a":1`},
		{"grid", "[][]int{{1, 2}, {3, 4}}", "[1]  3  4"},
		{"tree", `&Moon{strings.Repeat("long ", 30), 1, nil, &moons[0]}`, `Next: &{Name:"Io"`},
		{"error", `fmt.Errorf("outer: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist})`, "wraps *fs.PathError"},
		{"HTML", `display.HTML("<ul><li>one</li><li>two</li></ul>")`, "one"},
		{"Markdown", `display.Markdown("*two* words")`, "*two* words"},
		{"Latex", "display.Latex(`$x^2$`)", "x^2"},
		{"SVG", "display.SVG(`<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>`)", "SVG picture"},
		{"image", "image.NewGray(image.Rect(0, 0, 3, 4))", "3 × 4 pixels"},
		{"plot", "p := plot.New()\np.Title.Text = \"squares\"\nplotstyle.Add(p, &plotstyle.Series{Name: \"s\", XYs: plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}}})\nplotstyle.New(p)", "squares"},
		{"timeline", `chart.New(&exectrace.Trace{Cores: 2, Length: time.Second})`, "1s on 2 cores"},
		{"progress", "for range display.TrackSlice([]int{1, 2}) {\n}", "2"},
		{"updated display", "var h display.Handle\nh.Show(\"first\")\nh.Show(\"second\")", "second"},
		{"widget", `widget.NewIntSlider("speed", 0, 10, 3)`, "speed"},
		{"Interact", `widget.Interact(func(n int) int { return 100 + n }, widget.Range("n", 1, 5))`, "10"},
		{"Live", `widget.Live(func() any { return 42 })`, "42"},
		{"variables", "%whos moons", "2 elements"},
		{"inspection", "moons?", "[]Moon"},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			sink := &formSink{transcript: &transcript{}}
			reply := s.Execute(t.Context(), output.Request{Code: test.code, StoreHistory: true, CellID: "cell"}, sink)
			if reply.Status != output.OK {
				t.Fatal(reply.Error)
			}
			if reply.Page != nil {
				sink.shown = append(sink.shown, reply.Page)
			}
			var texts []string
			for _, data := range sink.shown {
				text, ok := data["text/plain"].(string)
				if !ok {
					t.Errorf("a display has no text form: %v", data)
				}
				texts = append(texts, text)
			}
			if all := strings.Join(texts, "\n"); !strings.Contains(all, test.want) {
				t.Errorf("no %q in\n%s", test.want, all)
			}
		})
	}
}
