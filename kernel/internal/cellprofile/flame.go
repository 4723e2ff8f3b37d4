package cellprofile

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"path"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/internal/hoverimage"
	"github.com/perijove/perijove/lib/display/plotpng"
	"github.com/perijove/perijove/lib/plotstyle"
)

const (
	width     = 960.0
	rowHeight = 18
	narrowest = 0.5 // a narrower call is left out
	charWidth = 6.7
	fontSize  = 11
)

// A Flame is a flame graph. Each call is below its caller, is as wide as its share of the total, and has the color of
// its package.
type Flame struct {
	p      *Profile
	calls  []call
	height float64
	left   int            // calls that are too narrow
	hues   map[string]int // of the packages
}

// A call is a rectangle of a flame graph.
type call struct {
	n       *node
	x, y, w float64
	color   color.RGBA
	label   string
}

// Flame returns the flame graph of a profile.
func (p *Profile) Flame() *Flame {
	f := &Flame{p: p, hues: map[string]int{}}
	f.add(p.root, 0, 0, width)
	f.height += rowHeight
	if f.left > 0 {
		f.height += 20
	}
	return f
}

// add adds n and the calls below it.
func (f *Flame) add(n *node, x, y, w float64) {
	if w < narrowest {
		f.left++
		return
	}
	f.height = max(f.height, y)
	f.calls = append(f.calls, call{n, x, y, w, f.color(n), fit(short(n.name), w-6)})
	for _, c := range n.children {
		cw := w * share(c.value, n.value)
		f.add(c, x, y+rowHeight, cw)
		x += cw
	}
}

// note says what is left out, or is "".
func (f *Flame) note() string {
	if f.left == 0 {
		return ""
	}
	verb := "are"
	if f.left == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%s with less than %.2g %% %s left out", count(f.left, "call", "calls"), 100*narrowest/width, verb)
}

// SVG returns the picture as a document. Each call has a tooltip.
func (f *Flame) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %[1]g %[2]g" width="%[1]g" height="%[2]g" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="%[4]d">
<desc>flame graph: %[3]s</desc>
<rect width="%[1]g" height="%[2]g" fill="#ffffff"/>
`, width, f.height, f.p.Kind.isOf, fontSize)
	for _, c := range f.calls {
		fmt.Fprintf(&b, `<g><title>%s</title><rect x="%.2f" y="%g" width="%.2f" height="%d" fill="#%02x%02x%02x" stroke="#ffffff" stroke-width="0.5"/>`,
			html.EscapeString(f.title(c)), c.x, c.y, c.w, rowHeight-1, c.color.R, c.color.G, c.color.B)
		if c.label != "" {
			fmt.Fprintf(&b, `<text x="%.2f" y="%g" fill="#1b1f24">%s</text>`, c.x+3, c.y+13, html.EscapeString(c.label))
		}
		b.WriteString("</g>\n")
	}
	if note := f.note(); note != "" {
		fmt.Fprintf(&b, `<text x="4" y="%g" fill="#57606a">%s</text>`, f.height-6, note)
	}
	b.WriteString("</svg>")
	return b.String()
}

// title returns the tooltip of a call.
func (f *Flame) title(c call) string {
	return fmt.Sprintf("%s: %s, %s", c.n.name, f.p.format(c.n.value), f.p.percent(c.n.value))
}

// html returns the picture as part of a page, with the tooltips of SVG. png is the result of PNG.
func (f *Flame) html(png []byte) string {
	areas := make([]hoverimage.Area, len(f.calls))
	for i, c := range f.calls {
		areas[i] = hoverimage.Area{X: c.x, Y: c.y, W: c.w, H: rowHeight, Text: f.title(c)}
	}
	return hoverimage.HTML(png, width, f.height, "flame graph: "+f.p.Kind.isOf, areas)
}

// point is the size of a CSS pixel in points.
const point = 0.75

// PNG returns the picture with two pixels per CSS pixel, on white, or nil if it is too large.
func (f *Flame) PNG() []byte {
	b, err := plotpng.Encode(f, width*point, vg.Length(f.height*point), 2*96)
	if err != nil {
		return nil
	}
	return b
}

// Draw implements plotpng.Drawer.
func (f *Flame) Draw(to draw.Canvas) {
	at := func(x, y float64) vg.Point {
		return vg.Point{X: vg.Length(x * point), Y: vg.Length((f.height - y) * point)}
	}
	style := plotstyle.Text(fontSize*point, color.RGBA{0x1b, 0x1f, 0x24, 0xff})
	style.XAlign, style.YAlign = text.XLeft, text.YBottom
	for _, c := range f.calls {
		right, bottom := max(c.x+c.w-0.5, c.x+0.25), c.y+rowHeight-1
		to.FillPolygon(c.color, []vg.Point{at(c.x, c.y), at(right, c.y), at(right, bottom), at(c.x, bottom)})
		if c.label != "" {
			to.FillText(style, at(c.x+3, c.y+15), c.label)
		}
	}
	if note := f.note(); note != "" {
		to.FillText(style, at(4, f.height-4), note)
	}
}

// short returns a function's name with the last element of its package's path.
func short(name string) string {
	return strings.TrimPrefix(path.Base(name), "main.")
}

// fit shortens a text to a width; it returns "" if less than three characters fit.
func fit(text string, w float64) string {
	most := int(w / charWidth)
	switch n := utf8.RuneCountInString(text); {
	case most < 3:
		return ""
	case n <= most:
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// color returns the color of a function's package. Code of cells is orange, the runtime gray.
func (f *Flame) color(n *node) color.RGBA {
	if n.isGroup {
		return color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	}
	name := n.name
	pkg := strings.TrimSuffix(name, path.Base(name))
	base, _, _ := strings.Cut(path.Base(name), ".")
	switch pkg += base; pkg {
	case "main":
		return color.RGBA{0xf0, 0xa3, 0x5e, 0xff}
	case "runtime":
		return color.RGBA{0xc4, 0xca, 0xd1, 0xff}
	}
	if _, ok := f.hues[pkg]; !ok {
		f.hues[pkg] = 85 + len(f.hues)*79%220 // far from the hues before, and from orange
	}
	return pale(f.hues[pkg])
}

// pale returns the color with a hue in degrees, 52 % saturation and 74 % lightness.
func pale(hue int) color.RGBA {
	const saturation, lightness = 0.52, 0.74
	channel := func(n int) uint8 {
		k := float64((n*30+hue)%360) / 30
		return uint8(math.Round(255 * (lightness - saturation*(1-lightness)*max(-1, min(k-3, 9-k, 1)))))
	}
	return color.RGBA{channel(0), channel(8), channel(4), 0xff}
}
