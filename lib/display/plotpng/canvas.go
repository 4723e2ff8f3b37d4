package plotpng

import (
	"image"
	"image/color"
	"math"

	"github.com/golang/freetype/raster"
	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
)

// A canvas is a vg.Canvas that draws to pixels, as gonum's vgimg does.
type canvas struct {
	pixels *pixels
	raster *raster.Rasterizer
	dpi    float64

	state
	stack []state
	width float64 // of lines, in pixels; Push saves neither width nor dash
	dash  dashes
}

// A state is the part of a canvas that Push saves.
type state struct {
	m     matrix
	color color.Color
}

type point struct{ x, y float64 }

// A matrix maps coordinates of vg, in units of pixels, to pixels of the picture.
type matrix struct{ xx, yx, xy, yy, x0, y0 float64 }

func (m matrix) apply(x, y float64) point {
	return point{m.xx*x + m.xy*y + m.x0, m.yx*x + m.yy*y + m.y0}
}

// times returns the matrix that applies n before m.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m.xx*n.xx + m.xy*n.yx, m.yx*n.xx + m.yy*n.yx,
		m.xx*n.xy + m.xy*n.yy, m.yx*n.xy + m.yy*n.yy,
		m.xx*n.x0 + m.xy*n.y0 + m.x0, m.yx*n.x0 + m.yy*n.y0 + m.y0,
	}
}

// isUpright reports whether the matrix neither turns nor scales.
func (m matrix) isUpright() bool { return m.xx == 1 && m.yy == -1 && m.xy == 0 && m.yx == 0 }

// newCanvas returns a canvas that draws to p. Its origin is the lower left corner, as
// vg requires.
func newCanvas(p *pixels, dpi int) *canvas {
	c := &canvas{pixels: p, raster: raster.NewRasterizer(p.w, p.h), dpi: float64(dpi)}
	c.m = matrix{xx: 1, yy: -1, y0: float64(p.h)}
	c.color = color.Black
	c.raster.UseNonZeroWinding = true
	vg.Initialize(c)
	return c
}

func (c *canvas) dots(l vg.Length) float64 { return l.Dots(c.dpi) }

func (c *canvas) SetLineWidth(w vg.Length) { c.width = c.dots(w) }

func (c *canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.dash = dashes{offset: c.dots(offset)}
	for _, d := range pattern {
		c.dash.pattern = append(c.dash.pattern, c.dots(d))
	}
}

func (c *canvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.color = col
	c.pixels.setColor(col)
}

func (c *canvas) Rotate(a float64) {
	sin, cos := math.Sincos(a)
	c.m = c.m.times(matrix{cos, sin, -sin, cos, 0, 0})
}

func (c *canvas) Translate(p vg.Point) {
	c.m = c.m.times(matrix{1, 0, 0, 1, c.dots(p.X), c.dots(p.Y)})
}

func (c *canvas) Scale(x, y float64) { c.m = c.m.times(matrix{x, 0, 0, y, 0, 0}) }

func (c *canvas) Push() { c.stack = append(c.stack, c.state) }

func (c *canvas) Pop() {
	c.state, c.stack = c.stack[len(c.stack)-1], c.stack[:len(c.stack)-1]
	c.pixels.setColor(c.color)
}

func (c *canvas) Fill(p vg.Path) {
	lines := c.flatten(p)
	if r, ok := rectangleOf(lines); ok {
		c.fillRectangle(r)
		return
	}
	c.fillLines(lines)
}

func (c *canvas) fillLines(lines []polyline) {
	c.raster.Clear()
	for _, l := range lines {
		c.raster.Start(l.points[0].fixed())
		for _, q := range l.points[1:] {
			c.raster.Add1(q.fixed())
		}
		c.raster.Add1(l.points[0].fixed())
	}
	c.raster.Rasterize(c)
}

func (c *canvas) Stroke(p vg.Path) {
	if c.width <= 0 {
		return
	}
	var path raster.Path
	for _, l := range c.dash.apply(c.flatten(p)) {
		path = appendStroke(path, l)
	}
	c.raster.Clear()
	c.raster.AddStroke(path, fixed.Int26_6(math.Round(min(c.width, limit)*64)), raster.ButtCapper, raster.RoundJoiner)
	c.raster.Rasterize(c)
}

// Paint implements raster.Painter.
func (c *canvas) Paint(spans []raster.Span, _ bool) {
	for _, s := range spans {
		c.pixels.span(s.Y, s.X0, s.X1, s.Alpha)
	}
}

// limit is the maximum absolute value of a coordinate in pixels; larger ones are
// clamped.
const limit = 1 << 16

func (p point) fixed() fixed.Point26_6 {
	at := func(x float64) fixed.Int26_6 { return fixed.Int26_6(math.Round(min(max(x, -limit), limit) * 64)) }
	return fixed.Point26_6{X: at(p.x), Y: at(p.y)}
}

// appendStroke adds a polyline to path. It skips segments that are too short for the
// rasterizer's joins.
func appendStroke(path raster.Path, l polyline) raster.Path {
	last := l.points[0].fixed()
	path.Start(last)
	for _, p := range l.points[1:] {
		q := p.fixed()
		if d := q.Sub(last); max(d.X, -d.X)+max(d.Y, -d.Y) > 4 {
			path.Add1(q)
			last = q
		}
	}
	return path
}

// A rectangle has sides that are parallel to the axes.
type rectangle struct{ x0, y0, x1, y1 float64 }

// rectangleOf returns the rectangle that lines form, or false if they form another
// shape.
func rectangleOf(lines []polyline) (r rectangle, ok bool) {
	if len(lines) != 1 {
		return r, false
	}
	p := lines[0].points
	if n := len(p); n == 5 && p[4] == p[0] {
		p = p[:4]
	}
	if len(p) != 4 {
		return r, false
	}
	a, b, c, d := p[0], p[1], p[2], p[3]
	if !(a.y == b.y && b.x == c.x && c.y == d.y && d.x == a.x) && !(a.x == b.x && b.y == c.y && c.x == d.x && d.y == a.y) {
		return r, false
	}
	return rectangle{min(a.x, c.x), min(a.y, c.y), max(a.x, c.x), max(a.y, c.y)}, true
}

func (c *canvas) fillRectangle(r rectangle) {
	w, h := float64(c.pixels.w), float64(c.pixels.h)
	r = rectangle{min(max(r.x0, 0), w), min(max(r.y0, 0), h), min(max(r.x1, 0), w), min(max(r.y1, 0), h)}
	// cover returns the share of pixel i that lies between a and b, from 0 to 1.
	cover := func(i int, a, b float64) float64 { return max(0, min(b, float64(i+1))-max(a, float64(i))) }
	x0, x1 := int(math.Ceil(r.x0)), int(math.Floor(r.x1))
	for y := int(r.y0); y < int(math.Ceil(r.y1)); y++ {
		row := 0xffff * cover(y, r.y0, r.y1)
		c.pixels.span(y, x0, x1, uint32(row))
		c.pixels.span(y, x0-1, x0, uint32(row*cover(x0-1, r.x0, r.x1)))
		if x1 >= x0 {
			c.pixels.span(y, x1, x1+1, uint32(row*cover(x1, r.x0, r.x1)))
		}
	}
}

// DrawImage implements vg.Canvas.
func (c *canvas) DrawImage(r vg.Rectangle, img image.Image) {
	b := img.Bounds()
	if b.Empty() {
		return
	}
	if c.pixels.image == nil {
		c.pixels.dropPalette()
	}
	size := r.Size()
	x, y := c.dots(size.X)/float64(b.Dx()), c.dots(size.Y)/float64(b.Dy())
	m := c.m.times(matrix{1, 0, 0, 1, c.dots(r.Min.X), c.dots(r.Max.Y)}).times(matrix{x, 0, 0, -y, 0, 0}).
		times(matrix{1, 0, 0, 1, -float64(b.Min.X), -float64(b.Min.Y)})
	xdraw.BiLinear.Transform(c.pixels.image, f64.Aff3{m.xx, m.xy, m.x0, m.yx, m.yy, m.y0}, img, b, xdraw.Over, nil)
}
