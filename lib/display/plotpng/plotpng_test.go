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

// curves is a plot with lines of five colours, a legend and a grid.
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

// difference returns which part of the pixels differ by more than a little in a
// channel, and by how much the channels of all differ on average.
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
	for range 2 { // the second time with the first one's memory
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

// gradient fills its canvas with more colours than a palette has.
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

// BenchmarkStandard is the same by gonum's own PNG canvas.
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
