package plotstyle

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A textBox is a text and its rectangle on the page.
type textBox struct {
	text string
	vg.Rectangle
}

// textBoxes is a canvas that measures texts.
type textBoxes struct {
	boxes []textBox
	m     [6]float64 // x' = m0·x + m2·y + m4, y' = m1·x + m3·y + m5
	stack [][6]float64
}

func newTextBoxes() *textBoxes { return &textBoxes{m: [6]float64{1, 0, 0, 1, 0, 0}} }

func (c *textBoxes) times(n [6]float64) {
	m := c.m
	c.m = [6]float64{
		m[0]*n[0] + m[2]*n[1], m[1]*n[0] + m[3]*n[1],
		m[0]*n[2] + m[2]*n[3], m[1]*n[2] + m[3]*n[3],
		m[0]*n[4] + m[2]*n[5] + m[4], m[1]*n[4] + m[3]*n[5] + m[5],
	}
}

func (c *textBoxes) Push() { c.stack = append(c.stack, c.m) }
func (c *textBoxes) Pop()  { c.m, c.stack = c.stack[len(c.stack)-1], c.stack[:len(c.stack)-1] }
func (c *textBoxes) Rotate(a float64) {
	sin, cos := math.Sincos(a)
	c.times([6]float64{cos, sin, -sin, cos, 0, 0})
}
func (c *textBoxes) Scale(x, y float64) { c.times([6]float64{x, 0, 0, y, 0, 0}) }
func (c *textBoxes) Translate(p vg.Point) {
	c.times([6]float64{1, 0, 0, 1, float64(p.X), float64(p.Y)})
}
func (*textBoxes) SetLineWidth(vg.Length)              {}
func (*textBoxes) SetLineDash([]vg.Length, vg.Length)  {}
func (*textBoxes) SetColor(color.Color)                {}
func (*textBoxes) Stroke(vg.Path)                      {}
func (*textBoxes) Fill(vg.Path)                        {}
func (*textBoxes) DrawImage(vg.Rectangle, image.Image) {}

func (c *textBoxes) FillString(f font.Face, p vg.Point, s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	// The box of letters without descenders ends at the baseline.
	low := vg.Length(0)
	if strings.ContainsAny(s, "gjpqyµ,;()") {
		low = -0.2 * f.Font.Size
	}
	box := vg.Rectangle{Min: vg.Point{X: vg.Length(math.Inf(1)), Y: vg.Length(math.Inf(1))}, Max: vg.Point{X: vg.Length(math.Inf(-1)), Y: vg.Length(math.Inf(-1))}}
	for _, x := range []vg.Length{p.X, p.X + f.Width(s)} {
		for _, y := range []vg.Length{p.Y + low, p.Y + 0.72*f.Font.Size} {
			q := vg.Point{X: vg.Length(c.m[0])*x + vg.Length(c.m[2])*y + vg.Length(c.m[4]), Y: vg.Length(c.m[1])*x + vg.Length(c.m[3])*y + vg.Length(c.m[5])}
			box.Min.X, box.Min.Y = min(box.Min.X, q.X), min(box.Min.Y, q.Y)
			box.Max.X, box.Max.Y = max(box.Max.X, q.X), max(box.Max.Y, q.Y)
		}
	}
	c.boxes = append(c.boxes, textBox{s, box})
}

// A spy is a plotter that records its data area, and a sample for a legend.
type spy struct{ data vg.Rectangle }

func (s *spy) Plot(c draw.Canvas, _ *plot.Plot) { s.data = c.Rectangle }
func (s *spy) Thumbnail(c *draw.Canvas) {
	// The sample draws something, to test that the legend moves it.
	c.FillText(Text(1, color.Black), vg.Point{X: c.Max.X - 1, Y: c.Min.Y}, "sample")
}

func overlap(a, b vg.Rectangle) bool {
	const slack = 0.1
	return a.Min.X < b.Max.X-slack && b.Min.X < a.Max.X-slack && a.Min.Y < b.Max.Y-slack && b.Min.Y < a.Max.Y-slack
}

func wave(n int, scale, offset float64) plotter.XYs {
	points := make(plotter.XYs, n)
	for i := range points {
		points[i] = plotter.XY{X: float64(i), Y: offset + scale*math.Sin(float64(i)/3)}
	}
	return points
}

// plots returns functions that make plots with a difficult layout.
func plots() map[string]func(p *plot.Plot) {
	long := "A title that is much longer than any picture is wide, so that it must be broken into lines more than once, as here"
	return map[string]func(p *plot.Plot){
		"nothing": func(p *plot.Plot) {},
		"usual": func(p *plot.Plot) {
			p.Title.Text, p.X.Label.Text, p.Y.Label.Text = "What a message costs", "bytes in a message", "time per message"
			Add(p, &Series{Name: "goroutines", XYs: wave(20, 3, 5)}, &Series{Name: "processes", XYs: wave(20, 2, 6)})
		},
		"long texts": func(p *plot.Plot) {
			p.Title.Text, p.X.Label.Text, p.Y.Label.Text = long, long, long
			Add(p, &Series{Name: long, XYs: wave(20, 3, 5)}, &Series{Name: "Wordwithoutanyspacethatcanbebrokenandthatiswiderthananypicture" + strings.Repeat("x", 80), XYs: wave(20, 2, 6)})
		},
		"many series": func(p *plot.Plot) {
			p.Title.Text = "Forty curves"
			for i := range 40 {
				Add(p, &Series{Name: fmt.Sprint("curve number ", i), XYs: wave(20, float64(i), 0)})
			}
		},
		"six series": func(p *plot.Plot) {
			for i := range 6 {
				Add(p, &Series{Name: fmt.Sprint("a rather long name of curve ", i), XYs: wave(20, float64(i), 0)})
			}
		},
		"huge": func(p *plot.Plot) {
			Add(p, &Series{Name: "huge", XYs: plotter.XYs{{X: -3e24, Y: 1e300}, {X: 7e24, Y: -1e299}}})
		},
		"tiny": func(p *plot.Plot) {
			Add(p, &Series{Name: "tiny", XYs: plotter.XYs{{X: 1e-30, Y: 1e-300}, {X: 2e-30, Y: 2e-300}}})
		},
		"narrow range": func(p *plot.Plot) {
			Add(p, &Series{Name: "narrow", XYs: plotter.XYs{{X: 1234567890, Y: 1e9 + 0.001}, {X: 1234567891, Y: 1e9 + 0.002}}})
		},
		"one point": func(p *plot.Plot) { Add(p, &Series{Name: "one", XYs: plotter.XYs{{X: 3, Y: 3}}}) },
		"logarithmic": func(p *plot.Plot) {
			p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, LogTicks{Unit: BinaryBytes}
			p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, LogTicks{Unit: Seconds}
			Add(p, &Series{Name: "costs", XYs: plotter.XYs{{X: 8, Y: 1e-9}, {X: 2 << 20, Y: 3e5}}})
		},
		"workers": func(p *plot.Plot) {
			Add(p, &Series{Name: "goroutines", XYs: plotter.XYs{{X: 1, Y: 1}, {X: 128, Y: 90}}})
			Workers(p, []int{1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 33, 34, 64, 128})
		},
		"names": func(p *plot.Plot) {
			bars, err := plotter.NewBarChart(plotter.Values{3, 5, 2, 7}, 20)
			if err != nil {
				panic(err)
			}
			p.Add(bars)
			p.NominalX("a goroutine, from start to result", "short", "a process, from start to result", "incomprehensibilities")
		},
		"names at the left": func(p *plot.Plot) {
			bars, err := plotter.NewBarChart(plotter.Values{3, 5, 2, 7}, 20)
			if err != nil {
				panic(err)
			}
			bars.Horizontal = true
			p.Add(bars)
			p.NominalY("a goroutine, from its start until its result is here, and a little more", "short", long, "x")
		},
		"hidden axes": func(p *plot.Plot) {
			p.Title.Text = "Nothing but a curve"
			Add(p, &Series{Name: "curve", XYs: wave(20, 3, 5)})
			p.HideAxes()
		},
		"inverted": func(p *plot.Plot) {
			p.Y.Scale = plot.InvertedScale{Normalizer: plot.LinearScale{}}
			Add(p, &Series{Name: "depth", XYs: wave(20, 3, 5)})
		},
		"times": func(p *plot.Plot) {
			p.X.Tick.Marker = plot.TimeTicks{Format: "2006-01-02\n15:04:05"}
			Add(p, &Series{Name: "load", XYs: plotter.XYs{{X: 1.7e9, Y: 1}, {X: 1.7e9 + 1e6, Y: 2}}})
		},
		"many ticks": func(p *plot.Plot) {
			var ticks plot.ConstantTicks
			for i := range 500 {
				ticks = append(ticks, plot.Tick{Value: float64(i), Label: fmt.Sprint("tick number ", i)})
			}
			p.X.Tick.Marker, p.Y.Tick.Marker = ticks, ticks
			Add(p, &Series{Name: "line", XYs: plotter.XYs{{X: 0, Y: 0}, {X: 499, Y: 499}}})
		},
		"boxes": func(p *plot.Plot) {
			for i := range 4 {
				box, err := plotter.NewBoxPlot(20, float64(i), plotter.Values{1, 2, 3, 4, 9, 27})
				if err != nil {
					panic(err)
				}
				p.Add(box)
			}
			p.NominalX("one", "two", "three", "four")
		},
		"old grid": func(p *plot.Plot) {
			p.Title.Text = "Lines\nand lines\n\nand more lines"
			p.Add(plotter.NewGrid())
			Add(p, &Series{Name: "ünïcødé – ≤ 漢字", XYs: wave(20, -3, -5e5)})
		},
		"gonum's legend": func(p *plot.Plot) {
			p.Legend.Left, p.Legend.XOffs, p.Legend.Padding = true, 30, 4
			p.Legend.Add("first", &spy{})
			p.Legend.Add("second\nof two lines", &spy{})
			p.Legend.Add("third", &spy{})
			p.Add(&Series{XYs: wave(9, 1, 1)})
		},
	}
}

func TestNoTextIsClippedOrOverData(t *testing.T) {
	sizes := []vg.Point{{X: 432, Y: 288}, {X: 800, Y: 200}, {X: 200, Y: 500}, {X: 290, Y: 200}, {X: 140, Y: 100}, {X: 1500, Y: 1000}}
	for name, fill := range plots() {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s, %g by %g", name, size.X, size.Y), func(t *testing.T) {
				p := plot.New()
				fill(p)
				where := &spy{}
				p.Add(where)
				c := newTextBoxes()
				page := vg.Rectangle{Max: size}
				New(p).Draw(draw.Canvas{Canvas: c, Rectangle: page})
				if where.data.Size().X < size.X/5 || where.data.Size().Y < size.Y/10 {
					t.Errorf("the data have %v", where.data)
				}
				for i, box := range c.boxes {
					if box.Min.X < 0 || box.Min.Y < 0 || box.Max.X > size.X || box.Max.Y > size.Y {
						t.Errorf("%q at %v is clipped", box.text, box.Rectangle)
					}
					if overlap(box.Rectangle, where.data) {
						t.Errorf("%q at %v is over the data at %v", box.text, box.Rectangle, where.data)
					}
					for _, other := range c.boxes[:i] {
						if overlap(box.Rectangle, other.Rectangle) {
							t.Errorf("%q at %v is over %q at %v", box.text, box.Rectangle, other.text, other.Rectangle)
						}
					}
				}
			})
		}
	}
}

// The panels of a picture with the height that HeightFor returns have the requested
// height, with few texts and with many.
func TestHeightFor(t *testing.T) {
	const panels = 250
	for name, fill := range plots() {
		p := plot.New()
		fill(p)
		where := &spy{}
		p.Add(where)
		s := New(p)
		for range 5 {
			s.Caption = append(s.Caption, Note{Text: strings.Repeat("words and more words, ", 6)})
		}
		size := vg.Point{X: s.Width, Y: s.HeightFor(panels)}
		s.Draw(draw.Canvas{Canvas: newTextBoxes(), Rectangle: vg.Rectangle{Max: size}})
		// The panel also contains the axis, its ticks and labels, and the label of the vertical axis.
		if got := where.data.Size().Y; got > panels || got < panels-130 {
			t.Errorf("%s: the data have a height of %.0f, in a picture of %.0f", name, got, size.Y)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	p := plot.New()
	plots()["usual"](p)
	s := New(p)
	for b.Loop() {
		if s.SVG() == "" {
			b.Fatal("nothing was drawn")
		}
	}
}
