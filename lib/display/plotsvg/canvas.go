package plotsvg

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// A canvas is a vg.Canvas that writes SVG. Its units are points, and its vertical
// axis points down.
type canvas struct {
	out []byte
	state
	stack []state

	width  float64 // of lines; Push saves neither width nor dashes
	dashes []byte  // SVG attributes
}

// A state is the part of a canvas that Push saves.
type state struct {
	m     matrix
	color color.Color
}

// A matrix maps points of vg to points of the picture.
type matrix struct{ xx, yx, xy, yy, x0, y0 float64 }

func (m matrix) apply(p vg.Point) (x, y float64) {
	return m.xx*float64(p.X) + m.xy*float64(p.Y) + m.x0, m.yx*float64(p.X) + m.yy*float64(p.Y) + m.y0
}

// times returns the matrix that applies n before m.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m.xx*n.xx + m.xy*n.yx, m.yx*n.xx + m.yy*n.yx,
		m.xx*n.xy + m.xy*n.yy, m.yx*n.xy + m.yy*n.yy,
		m.xx*n.x0 + m.xy*n.y0 + m.x0, m.yx*n.x0 + m.yy*n.y0 + m.y0,
	}
}

// isUpright reports whether the matrix only translates and flips the vertical axis.
func (m matrix) isUpright() bool { return m.xx == 1 && m.yy == -1 && m.xy == 0 && m.yx == 0 }

func newCanvas(height vg.Length) *canvas {
	c := &canvas{state: state{m: matrix{xx: 1, yy: -1, y0: float64(height)}, color: color.Black}}
	vg.Initialize(c)
	return c
}

func (c *canvas) SetLineWidth(w vg.Length) { c.width = float64(w) }

func (c *canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.dashes = nil
	for i, d := range pattern {
		if i == 0 {
			c.dashes = append(c.dashes, ` stroke-dasharray="`...)
		} else {
			c.dashes = append(c.dashes, ',')
		}
		c.dashes = appendNumber(c.dashes, max(float64(d), 0))
	}
	if len(pattern) > 0 {
		c.dashes = append(c.dashes, '"')
		if offset != 0 {
			c.dashes = append(appendNumber(append(c.dashes, ` stroke-dashoffset="`...), float64(offset)), '"')
		}
	}
}

func (c *canvas) SetColor(col color.Color) {
	if col == nil {
		col = color.Black
	}
	c.color = col
}

func (c *canvas) Rotate(a float64) {
	sin, cos := math.Sincos(a)
	c.m = c.m.times(matrix{cos, sin, -sin, cos, 0, 0})
}

func (c *canvas) Translate(p vg.Point) {
	c.m = c.m.times(matrix{1, 0, 0, 1, float64(p.X), float64(p.Y)})
}

func (c *canvas) Scale(x, y float64) { c.m = c.m.times(matrix{x, 0, 0, y, 0, 0}) }

func (c *canvas) Push() { c.stack = append(c.stack, c.state) }

func (c *canvas) Pop() { c.state, c.stack = c.stack[len(c.stack)-1], c.stack[:len(c.stack)-1] }

// paint returns SVG attributes that give a property, such as fill, the current color.
// visible is false if that color is transparent, so that there is nothing to draw.
func (c *canvas) paint(property string) (attributes string, visible bool) {
	col := color.NRGBAModel.Convert(c.color).(color.NRGBA)
	if col.A == 0 {
		return "", false
	}
	attributes = fmt.Sprintf(` %s="#%02x%02x%02x"`, property, col.R, col.G, col.B)
	if col.A < 0xff {
		attributes += ` ` + property + `-opacity="` + strconv.FormatFloat(float64(col.A)/0xff, 'f', 3, 64) + `"`
	}
	return attributes, true
}

func (c *canvas) Fill(p vg.Path) {
	if paint, ok := c.paint("fill"); ok {
		c.path(p, paint)
	}
}

func (c *canvas) Stroke(p vg.Path) {
	paint, ok := c.paint("stroke")
	if !ok || !(c.width > 0) {
		return
	}
	c.path(p, ` fill="none"`+paint+` stroke-width="`+string(appendNumber(nil, c.width))+`"`+string(c.dashes))
}

func (c *canvas) path(p vg.Path, attributes string) {
	start := len(c.out)
	c.out = append(c.out, `<path d="`...)
	before := len(c.out)
	for _, comp := range p {
		c.component(comp, len(c.out) == before)
	}
	if len(c.out) == before {
		c.out = c.out[:start]
		return
	}
	c.out = append(c.out, '"')
	c.out = append(c.out, attributes...)
	c.out = append(c.out, "/>\n"...)
}

// component writes a part of a path. It omits parts that are not finite.
func (c *canvas) component(comp vg.PathComp, first bool) {
	switch {
	case comp.Type == vg.CloseComp:
		if !first {
			c.out = append(c.out, 'Z')
		}
		return
	case comp.Type == vg.ArcComp:
		c.arc(comp, first)
		return
	}
	command := byte('L')
	switch {
	case comp.Type == vg.MoveComp || first:
		command = 'M'
	case comp.Type == vg.CurveComp && len(comp.Control) == 1:
		command = 'Q'
	case comp.Type == vg.CurveComp && len(comp.Control) == 2:
		command = 'C'
	}
	points := []vg.Point{comp.Pos}
	if command == 'Q' || command == 'C' {
		points = append(append([]vg.Point(nil), comp.Control...), comp.Pos)
	}
	c.points(command, points...)
}

// points writes a path command and its points, or nothing if a point is not finite.
func (c *canvas) points(command byte, points ...vg.Point) {
	start := len(c.out)
	c.out = append(c.out, command)
	for i, p := range points {
		if i > 0 {
			c.out = append(c.out, ' ')
		}
		x, y := c.m.apply(p)
		if !finite(x) || !finite(y) {
			c.out = c.out[:start]
			return
		}
		c.out = appendNumber(c.out, x)
		c.out = append(c.out, ',')
		c.out = appendNumber(c.out, y)
	}
}

// arc writes an arc of a circle. It writes a full circle as two arcs, because the ends
// of an SVG arc must differ.
func (c *canvas) arc(comp vg.PathComp, first bool) {
	r, angle := float64(comp.Radius), min(max(comp.Angle, -2*math.Pi), 2*math.Pi)
	at := func(a float64) vg.Point {
		sin, cos := math.Sincos(a)
		return comp.Pos.Add(vg.Point{X: vg.Length(r * cos), Y: vg.Length(r * sin)})
	}
	// A matrix that only rotates and translates keeps the radius; for others this is the mean radius.
	scaled := r * math.Sqrt(math.Abs(c.m.xx*c.m.yy-c.m.xy*c.m.yx))
	if !finite(scaled) || !finite(angle) || !finite(comp.Start) {
		return
	}
	command := byte('L')
	if first {
		command = 'M'
	}
	c.points(command, at(comp.Start))
	parts := 1
	if math.Abs(angle) > math.Pi {
		parts = 2
	}
	sweep := byte('0')
	if (angle < 0) == (c.m.xx*c.m.yy-c.m.xy*c.m.yx < 0) {
		sweep = '1'
	}
	for i := range parts {
		c.out = append(c.out, 'A')
		c.out = appendNumber(c.out, scaled)
		c.out = append(c.out, ',')
		c.out = appendNumber(c.out, scaled)
		c.out = append(c.out, " 0 0 "...)
		c.out = append(c.out, sweep)
		c.points(' ', at(comp.Start+angle*float64(i+1)/float64(parts)))
	}
}

// DrawImage implements vg.Canvas.
func (c *canvas) DrawImage(r vg.Rectangle, img image.Image) {
	var data bytes.Buffer
	if err := png.Encode(&data, img); err != nil {
		return // an image without pixels
	}
	size := r.Size()
	m := c.m.times(matrix{1, 0, 0, -1, float64(r.Min.X), float64(r.Max.Y)})
	c.out = fmt.Appendf(c.out, `<image width="%s" height="%s" preserveAspectRatio="none" transform="%s" href="data:image/png;base64,%s"/>`+"\n",
		appendNumber(nil, float64(size.X)), appendNumber(nil, float64(size.Y)), m, base64.StdEncoding.EncodeToString(data.Bytes()))
}

// String returns the matrix as the value of an SVG transform attribute.
func (m matrix) String() string {
	out := []byte("matrix(")
	for i, x := range []float64{m.xx, m.yx, m.xy, m.yy, m.x0, m.y0} {
		if i > 0 {
			out = append(out, ' ')
		}
		out = appendDecimals(out, x, 5)
	}
	return string(append(out, ')'))
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// appendNumber appends a length in points, rounded to two decimals.
func appendNumber(out []byte, x float64) []byte { return appendDecimals(out, x, 2) }

func appendDecimals(out []byte, x float64, decimals int) []byte {
	const limit = 1e7 // browsers calculate in 32-bit floating point
	x = min(max(x, -limit), limit)
	start := len(out)
	out = strconv.AppendFloat(out, x, 'f', decimals, 64)
	for out[len(out)-1] == '0' {
		out = out[:len(out)-1]
	}
	if out[len(out)-1] == '.' {
		out = out[:len(out)-1]
	}
	if string(out[start:]) == "-0" {
		out = append(out[:start], '0')
	}
	return out
}
