package plotpng

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// curves is a plot with lines of five colors, a legend and a grid.
func curves(t testing.TB) *plot.Plot {
	p := plot.New()
	p.Title.Text = "Five curves"
	for k := range 5 {
		points := make(plotter.XYs, 200)
		for i := range points {
			points[i].X, points[i].Y = float64(i), math.Sin(float64(i)/20+float64(k))
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			t.Fatal(err)
		}
		line.Color = plotutil.Color(k)
		p.Add(line)
		p.Legend.Add("curve", line)
	}
	p.Add(plotter.NewGrid())
	return p
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// difference compares two pictures by the largest difference of each pixel's channels.
// It returns the share of pixels in which this difference is more than 48, and the mean
// difference.
func difference(t *testing.T, a, b image.Image) (part, mean float64) {
	t.Helper()
	if a.Bounds() != b.Bounds() {
		t.Fatalf("bounds %v and %v", a.Bounds(), b.Bounds())
	}
	n, sum := 0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			d := max(distance(p.R, q.R), distance(p.G, q.G), distance(p.B, q.B), distance(p.A, q.A))
			if sum += d; d > 48 {
				n++
			}
		}
	}
	all := float64(a.Bounds().Dx() * a.Bounds().Dy())
	return float64(n) / all, float64(sum) / all
}

func TestPictureIsThatOfGonum(t *testing.T) {
	p := curves(t)
	canvas := vgimg.NewWith(vgimg.UseWH(6*vg.Inch, 4*vg.Inch), vgimg.UseDPI(192))
	p.Draw(draw.New(canvas))
	for range 2 { // the second picture uses the memory of the first
		data, err := Encode(p, 6*vg.Inch, 4*vg.Inch, 192)
		if err != nil {
			t.Fatal(err)
		}
		img := decode(t, data)
		if _, ok := img.(*image.Paletted); !ok {
			t.Errorf("a %T, not a picture with a palette", img)
		}
		if img.Bounds().Size() != image.Pt(1152, 768) {
			t.Errorf("size %v", img.Bounds().Size())
		}
		if part, mean := difference(t, canvas.Image(), img); part > 0.002 || mean > 0.5 {
			t.Errorf("%.5f of the pixels differ, all by %.2f on average", part, mean)
		}
	}
}

// gradient fills its canvas with more colors than a palette has.
type gradient struct{}

func (gradient) Draw(dc draw.Canvas) {
	img := image.NewRGBA(image.Rect(0, 0, 200, 200))
	for y := range 200 {
		for x := range 200 {
			img.SetRGBA(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: uint8(x ^ y), A: 0xff})
		}
	}
	dc.DrawImage(vg.Rectangle{Max: vg.Point{X: 72, Y: 72}}, img)
}

func TestGradientKeepsItsColors(t *testing.T) {
	data, err := Encode(gradient{}, vg.Inch, vg.Inch, 200)
	if err != nil {
		t.Fatal(err)
	}
	img := decode(t, data)
	colors := map[color.Color]bool{}
	for y := range 200 {
		for x := range 200 {
			colors[img.At(x, y)] = true
		}
	}
	if len(colors) < 1000 {
		t.Errorf("%d colours", len(colors))
	}
}

func TestPictureThatIsTooLarge(t *testing.T) {
	for _, size := range [][2]vg.Length{{0, 1}, {1, -1}, {1e9, 1}, {1e5 * vg.Inch, 1e5 * vg.Inch}, {vg.Length(math.NaN()), 1}} {
		if data, err := Encode(gradient{}, size[0], size[1], 192); err == nil {
			t.Errorf("%v by %v: %d bytes", size[0], size[1], len(data))
		}
	}
}

func TestValuesThatDoNotDraw(t *testing.T) {
	if data, err := Rasterize(3, 10, 10); data != nil || err != nil {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
	if data, err := Rasterize(gradient{}, 36, 72); err != nil || decode(t, data).Bounds().Size() != image.Pt(96, 192) {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
}

func TestConcurrentPictures(t *testing.T) {
	want, err := Encode(curves(t), 3*vg.Inch, 2*vg.Inch, 96)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			p := curves(t)
			for range 3 {
				if got, err := Encode(p, 3*vg.Inch, 2*vg.Inch, 96); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes, %d wanted; error %v", len(got), len(want), err)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkEncode(b *testing.B) {
	p := curves(b)
	for b.Loop() {
		data, err := Encode(p, 6*vg.Inch, 4*vg.Inch, 192)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(data)), "bytes")
	}
}

// BenchmarkStandard draws the same plot with gonum's own PNG canvas.
func BenchmarkStandard(b *testing.B) {
	p := curves(b)
	for b.Loop() {
		c := vgimg.NewWith(vgimg.UseWH(6*vg.Inch, 4*vg.Inch), vgimg.UseDPI(192))
		p.Draw(draw.New(c))
		var out bytes.Buffer
		if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&out); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	}
}

// everything is a plot that uses all features of a canvas: dashes, curves, translucent
// areas, rotated text, an image.
type everything struct{}

func (everything) Draw(dc draw.Canvas) {
	p := plot.New()
	p.Y.Label.Text = "turned by a quarter"
	line := plotter.NewFunction(func(x float64) float64 { return x * x })
	line.Dashes, line.Width, line.Color = []vg.Length{6, 3, 2, 3}, 2, color.NRGBA{0xc0, 0, 0, 0x80}
	p.Add(line)
	p.X.Max, p.Y.Max = 2, 4
	p.Draw(dc)

	var area, curve, ring vg.Path
	area.Move(vg.Point{X: 60, Y: 60})
	area.Line(vg.Point{X: 160, Y: 90})
	area.Line(vg.Point{X: 90, Y: 190})
	area.Close()
	dc.SetColor(color.NRGBA{0, 0x80, 0xff, 0x60})
	dc.Fill(area)
	curve.Move(vg.Point{X: 200, Y: 60})
	curve.CubeTo(vg.Point{X: 250, Y: 260}, vg.Point{X: 150, Y: 260}, vg.Point{X: 280, Y: 80})
	curve.QuadTo(vg.Point{X: 300, Y: 40}, vg.Point{X: 330, Y: 200})
	dc.SetLineWidth(3)
	dc.SetLineDash(nil, 0)
	dc.Stroke(curve)
	ring.Move(vg.Point{X: 250, Y: 150})
	ring.Arc(vg.Point{X: 220, Y: 150}, 30, 0, 5)
	dc.SetLineDash([]vg.Length{5, 4}, 2)
	dc.Stroke(ring)
	dc.Push()
	dc.Translate(vg.Point{X: 330, Y: 30})
	dc.Rotate(0.6)
	dc.Scale(1.5, 1)
	dc.Fill(vg.Rectangle{Max: vg.Point{X: 40, Y: 20}}.Path())
	dc.Pop()
	dc.Fill(vg.Rectangle{Min: vg.Point{X: 300.3, Y: 200.7}, Max: vg.Point{X: 350.1, Y: 230.2}}.Path())
}

func TestCanvasDrawsAsGonum(t *testing.T) {
	canvas := vgimg.NewWith(vgimg.UseWH(5*vg.Inch, 4*vg.Inch), vgimg.UseDPI(144))
	everything{}.Draw(draw.New(canvas))
	data, err := Encode(everything{}, 5*vg.Inch, 4*vg.Inch, 144)
	if err != nil {
		t.Fatal(err)
	}
	if part, mean := difference(t, canvas.Image(), decode(t, data)); part > 0.001 || mean > 0.6 {
		t.Errorf("%.5f of the pixels differ, all by %.2f on average", part, mean)
	}
}

// stress draws at coordinates that are not finite or far outside of the picture.
type stress struct{}

func (stress) Draw(dc draw.Canvas) {
	nan, far := vg.Length(math.NaN()), vg.Length(1e12)
	for _, points := range [][]vg.Point{{{X: nan}, {X: 10, Y: 10}, {X: far, Y: -far}}, {{X: -far, Y: 20}, {X: far, Y: 20}}, {{}, {X: vg.Length(math.Inf(-1))}}, {{X: 3}}, {}} {
		var p vg.Path
		for i, q := range points {
			if i == 0 {
				p.Move(q)
			} else {
				p.Line(q)
			}
		}
		p.Arc(vg.Point{X: nan}, far, 0, 9)
		p.Close()
		for _, dash := range [][]vg.Length{nil, {1, 1}, {0, 0}, {nan}, {-1, 2}} {
			dc.SetLineDash(dash, 3)
			dc.SetLineWidth(2)
			dc.Stroke(p)
		}
		dc.Fill(p)
	}
	dc.FillText(draw.TextStyle{Color: color.Black, Font: plot.DefaultFont, Handler: plot.DefaultTextHandler}, vg.Point{X: far, Y: nan}, "far")
}

func TestWhatIsFarAwayOrNotFinite(t *testing.T) {
	if data, err := Encode(stress{}, vg.Inch, vg.Inch, 96); err != nil || decode(t, data).Bounds().Dx() != 96 {
		t.Errorf("%d bytes, error %v", len(data), err)
	}
}
