package plotsvg

import (
	"encoding/xml"
	"image"
	"image/color"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

var (
	validColor   = regexp.MustCompile(`^(none|#[0-9A-Fa-f]{6})$`)
	validOpacity = regexp.MustCompile(`^(0|1|0?\.[0-9]+(e-[0-9]+)?)$`)
)

// checkSVG checks that a document is complete, that every color and opacity is valid
// in CSS, that every number is finite, and that the root has a viewBox.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	colors, boxes := 0, 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("<%s %s=%q>", start.Name.Local, a.Name.Local, a.Value)
			}
			properties := a.Name.Local + ":" + a.Value
			switch a.Name.Local {
			case "viewBox":
				boxes++
				continue
			case "style":
				properties = a.Value
			case "fill", "stroke", "fill-opacity", "stroke-opacity":
			default:
				continue
			}
			for property := range strings.SplitSeq(properties, ";") {
				name, value, _ := strings.Cut(property, ":")
				name, value = strings.TrimSpace(name), strings.TrimSpace(value)
				switch name {
				case "fill", "stroke":
					if colors++; !validColor.MatchString(value) {
						t.Errorf("<%s> has %s", start.Name.Local, property)
					}
				case "fill-opacity", "stroke-opacity":
					if !validOpacity.MatchString(value) {
						t.Errorf("<%s> has %s", start.Name.Local, property)
					}
				}
			}
		}
	}
	if colors == 0 || boxes != 1 {
		t.Errorf("%d colours, %d view boxes", colors, boxes)
	}
}

// drawing adds transparent shapes, and shapes with every kind of color.
func drawing(p *plot.Plot) {
	p.Title.Text = "a<b & \x01 c"
	p.BackgroundColor = color.Transparent
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 2}})
	if err != nil {
		panic(err)
	}
	line.Color, line.Dashes = color.NRGBA{0xff, 0x80, 0, 0x60}, []vg.Length{2, 1}
	none, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 1}, {X: 1, Y: 0}})
	if err != nil {
		panic(err)
	}
	none.Color, none.FillColor = color.RGBA{}, color.Alpha16{}
	dots, err := plotter.NewScatter(plotter.XYs{{X: 0.5, Y: 0.5}})
	if err != nil {
		panic(err)
	}
	dots.Color, dots.Radius = color.Gray16{0x8000}, 3.4
	p.Y.Label.Text = "turned"
	p.Add(line, none, dots)
}

func TestEncode(t *testing.T) {
	p := plot.New()
	drawing(p)
	svg, err := Encode(p, 4*vg.Inch, 3*vg.Inch, "the <title>", "")
	if err != nil {
		t.Fatal(err)
	}
	checkSVG(t, svg)
	for _, want := range []string{`width="288pt" height="216pt" viewBox="0 0 288 216"`, "<title>the &lt;title&gt;</title>", ">a&lt;b &amp;  c</text>",
		`stroke="#ff8000" stroke-opacity="0.376"`, `stroke-dasharray="2,1"`, `stroke="#808080"`, "A3.4,3.4 0 0 0 ", "textLength=", "'Times New Roman'", `transform="matrix(0 -1 1 0 `} {
		if !strings.Contains(svg, want) {
			t.Errorf("it lacks %s:\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "<desc>") {
		t.Error("it has an empty description")
	}
}

func TestSizesThatCannotBeDrawn(t *testing.T) {
	for _, size := range []vg.Length{0, -1, vg.Length(math.NaN()), vg.Length(math.Inf(1)), 1e9} {
		if svg, err := Encode(plot.New(), size, 10, "", ""); err == nil {
			t.Errorf("%v: %s", size, svg)
		}
	}
}

func TestValuesThatDoNotDraw(t *testing.T) {
	if svg, err := Vectorize(3, 1, 1); svg != "" || err != nil {
		t.Errorf("%q, %v", svg, err)
	}
}

// broken draws at coordinates that are not finite.
type broken struct{}

func (broken) Draw(c draw.Canvas) {
	nan, inf := vg.Length(math.NaN()), vg.Length(math.Inf(1))
	var p vg.Path
	p.Move(vg.Point{X: nan, Y: 1})
	p.Line(vg.Point{X: 1, Y: inf})
	p.Line(vg.Point{X: 1, Y: 2})
	p.Arc(vg.Point{X: 1, Y: 1}, nan, 0, 1)
	p.Close()
	c.Stroke(p)
	c.Fill(vg.Path{})
	c.DrawImage(vg.Rectangle{Max: vg.Point{X: 5, Y: 5}}, image.NewRGBA(image.Rect(0, 0, 1, 1)))
}

func TestWhatIsNotFinite(t *testing.T) {
	svg, err := Encode(broken{}, 10, 10, "", "")
	if err != nil {
		t.Fatal(err)
	}
	checkSVG(t, svg)
	if !strings.Contains(svg, `d="M1,8Z"`) || !strings.Contains(svg, "<image ") {
		t.Error(svg)
	}
}

func BenchmarkEncode(b *testing.B) {
	p := plot.New()
	drawing(p)
	for b.Loop() {
		if _, err := Encode(p, 6*vg.Inch, 4*vg.Inch, "", ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandard(b *testing.B) {
	p := plot.New()
	drawing(p)
	for b.Loop() {
		c := vgsvg.New(6*vg.Inch, 4*vg.Inch)
		p.Draw(draw.New(c))
		if _, err := c.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
