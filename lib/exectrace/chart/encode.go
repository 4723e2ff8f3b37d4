package chart

import (
	"fmt"
	"html"
	imagecolor "image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/internal/hoverimage"
	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/plotstyle"
)

// SVG returns the picture as an SVG document, which uses dark colors if the browser prefers them.
func (c *Chart) SVG() string {
	const style = `<style>:root{color:#222;background:#fff}@media (prefers-color-scheme:dark){:root{color:#ddd;background:#111}}@media print{:root{color:#000;background:#fff}}</style>`
	return c.encode(fmt.Sprintf(`xmlns="http://www.w3.org/2000/svg" width="%d" height="%s"`, width, number(c.height)), style)
}

// HTML returns the picture as part of an HTML page: a PNG image with the tooltips of [Chart.SVG], or an SVG element if
// the picture is too large for a PNG image.
func (c *Chart) HTML() string {
	png := c.PNG()
	if png == nil {
		return `<div style="overflow-x:auto">` + c.encode(`style="width:100%;max-width:1200px;min-width:800px;height:auto"`, "") + `</div>`
	}
	var areas []hoverimage.Area
	for i := range c.shapes {
		if s := &c.shapes[i]; s.title != "" {
			x, y, w, h := s.area()
			areas = append(areas, hoverimage.Area{X: x, Y: y, W: w, H: h, Text: s.title})
		}
	}
	return hoverimage.HTML(png, width, c.height, alternative, areas)
}

// ImageHTML is like HTML, but leaves out the tooltips, which take most of the bytes. If the
// picture is too large for a PNG image, ImageHTML returns the same as HTML.
func (c *Chart) ImageHTML() string {
	if png := c.PNG(); png != nil {
		return hoverimage.HTML(png, width, c.height, alternative, nil)
	}
	return c.HTML()
}

// alternative is the alternative text of the picture, for example for screen readers.
const alternative = "Timeline of goroutines and processes"

// area returns the rectangle in which the pointer shows the title of a shape. It is the whole of a steep arrow, the head
// of another arrow, and the line of a text.
func (s *shape) area() (x, y, w, h float64) {
	const reach = 4
	switch s.kind {
	case arrow:
		if math.Abs(s.w) < reach {
			return min(s.x, s.x+s.w) - 2, min(s.y, s.y+s.h), math.Abs(s.w) + 4, math.Abs(s.h)
		}
		return s.x + s.w - reach, s.y + s.h - reach, 2 * reach, 2 * reach
	case line:
		x, y = min(s.x, s.x+s.w), min(s.y, s.y+s.h)
		return x - 1, y - 1, math.Abs(s.w) + 2, math.Abs(s.h) + 2
	case label:
		w = 0.55 * s.size * float64(len(s.text))
		return s.x - w*float64(s.anchor)/2, s.y - s.size, w, 1.2 * s.size
	}
	return s.x, s.y, s.w, s.h
}

// PNG returns the picture with two pixels per CSS pixel, on white, or nil if it is too
// large.
func (c *Chart) PNG() []byte {
	c.encoded.Do(func() {
		if b, err := plotpng.Encode(drawer{c}, width*0.75, vg.Length(c.height*0.75), 2*96); err == nil {
			c.png = b
		}
	})
	return c.png
}

// Size returns the size of the picture in CSS pixels.
func (c *Chart) Size() (w, h float64) { return width, c.height }

func (c *Chart) encode(attributes, style string) string {
	b := fmt.Appendf(nil, `<svg %s viewBox="0 0 %d %s" role="img" font-family="system-ui,sans-serif">%s`+"\n", attributes, width, number(c.height), style)
	b = append(b, "<title>"+alternative+"</title>\n"...)
	for i := range c.shapes {
		b = c.shapes[i].append(b)
	}
	return string(append(b, "</svg>\n"...))
}

func number(f float64) string {
	return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64)
}

// append appends a shape as SVG.
func (s *shape) append(b []byte) []byte {
	put := func(name string, v float64) {
		b = append(append(append(append(b, ' '), name...), '=', '"'), number(v)...)
		b = append(b, '"')
	}
	element := [...]string{"rect", "path", "path", "text"}[s.kind]
	b = append(append(b, '<'), element...)
	switch s.kind {
	case rectangle:
		put("x", s.x)
		put("y", s.y)
		put("width", s.w)
		put("height", s.h)
	case line, arrow:
		b = append(append(append(b, ` d="`...), s.path()...), '"')
		b = append(b, ` fill="none" stroke-width="1"`...)
	case label:
		put("x", s.x)
		put("y", s.y)
		put("font-size", s.size)
		if s.anchor != start {
			b = append(append(append(b, ` text-anchor="`...), [...]string{"start", "middle", "end"}[s.anchor]...), '"')
		}
		if s.bold {
			b = append(b, ` font-weight="600"`...)
		}
	}
	paint := ` fill="`
	if s.kind == line || s.kind == arrow {
		paint = ` stroke="`
	}
	b = append(append(append(b, paint...), s.color...), '"')
	if s.opacity > 0 {
		put("opacity", s.opacity)
	}
	b = append(b, '>')
	if s.title != "" {
		b = append(append(append(b, "<title>"...), html.EscapeString(s.title)...), "</title>"...)
	}
	b = append(b, html.EscapeString(s.text)...)
	return append(append(append(b, "</"...), element...), ">\n"...)
}

// path returns the path of an arrow, with its head.
func (s *shape) path() string {
	p := fmt.Sprintf("M%s %sl%s %s", number(s.x), number(s.y), number(s.w), number(s.h))
	if s.kind == arrow {
		for _, h := range s.head() {
			p += fmt.Sprintf("M%s %sL%s %s", number(s.x+s.w), number(s.y+s.h), number(h[0]), number(h[1]))
		}
	}
	return p
}

// head returns the ends of the two lines of an arrow's head.
func (s *shape) head() [2][2]float64 {
	const length, spread = 4, 0.5
	angle := math.Atan2(s.h, s.w)
	var out [2][2]float64
	for i, turn := range []float64{-spread, spread} {
		out[i] = [2]float64{s.x + s.w - length*math.Cos(angle+turn), s.y + s.h - length*math.Sin(angle+turn)}
	}
	return out
}

// A drawer draws a chart to a canvas of gonum, whose unit is the point and whose y axis
// leads upward.
type drawer struct{ c *Chart }

// Draw implements plotpng.Drawer.
func (d drawer) Draw(to draw.Canvas) {
	for i := range d.c.shapes {
		d.shape(to, &d.c.shapes[i])
	}
}

func (d drawer) point(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x * 0.75), Y: vg.Length((d.c.height - y) * 0.75)}
}

func (d drawer) shape(to draw.Canvas, s *shape) {
	paint := s.rgba()
	switch s.kind {
	case rectangle:
		to.FillPolygon(paint, []vg.Point{d.point(s.x, s.y), d.point(s.x+s.w, s.y), d.point(s.x+s.w, s.y+s.h), d.point(s.x, s.y+s.h)})
	case line, arrow:
		style := draw.LineStyle{Color: paint, Width: 0.75}
		tip := d.point(s.x+s.w, s.y+s.h)
		to.StrokeLines(style, []vg.Point{d.point(s.x, s.y), tip})
		if s.kind == arrow {
			for _, h := range s.head() {
				to.StrokeLines(style, []vg.Point{tip, d.point(h[0], h[1])})
			}
		}
	case label:
		style := plotstyle.Text(s.size*0.75, paint)
		if s.bold {
			style = plotstyle.Bold(s.size*0.75, paint)
		}
		style.XAlign = [...]text.XAlignment{text.XLeft, text.XCenter, text.XRight}[s.anchor]
		style.YAlign = text.YBottom
		to.FillText(style, d.point(s.x, s.y+0.22*s.size), s.text)
	}
}

// rgba returns the color of a shape on white.
func (s *shape) rgba() imagecolor.Color {
	var r, g, b uint8
	if s.color != ink {
		_, _ = fmt.Sscanf(string(s.color), "#%02x%02x%02x", &r, &g, &b)
	} else {
		r, g, b = 0x22, 0x22, 0x22
	}
	alpha := 255.0
	if s.opacity > 0 {
		alpha *= s.opacity
	}
	return imagecolor.NRGBA{r, g, b, uint8(alpha)}
}
