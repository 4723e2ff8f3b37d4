package plotsvg

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"unicode"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// FillString implements vg.Canvas. It gives the text the width that it has in font f,
// because a browser may use another font.
func (c *canvas) FillString(f font.Face, at vg.Point, s string) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == 0xfffd || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, s)
	text := strings.TrimLeft(s, " ")
	at.X += f.Width(s[:len(s)-len(text)])
	text = strings.TrimRight(text, " ")
	paint, visible := c.paint("fill")
	x, y := c.m.apply(at)
	if text == "" || !visible || !finite(x) || !finite(y) || !(f.Font.Size > 0) {
		return
	}
	place := fmt.Sprintf(` x="%s" y="%s"`, appendNumber(nil, x), appendNumber(nil, y))
	if !c.m.isUpright() {
		// The inner matrix flips the vertical axis, so that letters are not upside down.
		place = ` transform="` + c.m.times(matrix{1, 0, 0, -1, float64(at.X), float64(at.Y)}).String() + `"`
	}
	c.out = fmt.Appendf(c.out, `<text%s%s font-size="%s"%s textLength="%s" lengthAdjust="spacingAndGlyphs">%s</text>`+"\n",
		place, familyAttributes(f), appendNumber(nil, float64(f.Font.Size)), paint, appendNumber(nil, float64(f.Width(text))), html.EscapeString(text))
}

// fallbacks maps gonum's fonts, which few browsers have, to fonts of the same widths.
var fallbacks = map[string]string{
	"Liberation Sans":  "'Liberation Sans',Arial,Helvetica,sans-serif",
	"Liberation Serif": "'Liberation Serif','Times New Roman',Times,serif",
	"Liberation Mono":  "'Liberation Mono','Courier New',monospace",
}

// families caches the names of fonts, because reading one is slow.
var families sync.Map // *opentype.Font to string

func familyAttributes(f font.Face) string {
	attributes := ` font-family="` + family(f.Face) + `"`
	if f.Font.Weight >= xfont.WeightSemiBold {
		attributes += ` font-weight="bold"`
	}
	if f.Font.Style != xfont.StyleNormal {
		attributes += ` font-style="italic"`
	}
	return attributes
}

func family(f *opentype.Font) string {
	if name, ok := families.Load(f); ok {
		return name.(string)
	}
	name, err := f.Name(nil, sfnt.NameIDFamily)
	if err != nil {
		name = "Liberation Sans"
	}
	if known, ok := fallbacks[name]; ok {
		name = known
	} else {
		name = "'" + strings.NewReplacer("'", "", `"`, "", "<", "", "&", "").Replace(name) + "',sans-serif"
	}
	families.Store(f, name)
	return name
}
