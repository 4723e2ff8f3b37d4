package plotpng

import (
	"image"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
	vgfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// FillString implements vg.Canvas.
func (c *canvas) FillString(f vgfont.Face, at vg.Point, s string) {
	size := f.Font.Size.Dots(c.dpi) // pixels per em
	if !(size > 0 && size < limit/8) {
		return
	}
	t := textRun{canvas: c, font: f.Face, size: fixed.Int26_6(math.Round(size * 64)), x: c.dots(at.X), y: c.dots(at.Y)}
	t.draw(s)
}

// A textRun is a text that is being drawn.
type textRun struct {
	canvas *canvas
	font   *opentype.Font
	size   fixed.Int26_6
	x, y   float64 // position of the next glyph, before the matrix is applied
	buffer sfnt.Buffer
}

func (t *textRun) draw(s string) {
	var last sfnt.GlyphIndex
	upright := t.canvas.m.isUpright()
	for _, r := range s {
		glyph, err := t.font.GlyphIndex(&t.buffer, r)
		if err != nil {
			continue
		}
		if last != 0 {
			if kern, err := t.font.Kern(&t.buffer, last, glyph, t.size, font.HintingNone); err == nil {
				t.x += float64(kern) / 64
			}
		}
		if upright {
			t.blit(glyph)
		} else {
			t.outline(glyph)
		}
		if advance, err := t.font.GlyphAdvance(&t.buffer, glyph, t.size, font.HintingNone); err == nil {
			t.x += float64(advance) / 64
		}
		last = glyph
	}
}

// positions is the number of subpixel positions of a glyph in each direction.
const positions = 4

// A glyphKey identifies a glyph of a size at a subpixel position.
type glyphKey struct {
	font  *opentype.Font
	size  fixed.Int26_6
	glyph sfnt.GlyphIndex
	x, y  uint8
}

// glyphs caches the masks of glyphs for all plots of this process.
var glyphs struct {
	sync.Mutex
	masks map[glyphKey]*image.Alpha
}

// maxGlyphs is the maximum size of the cache. The mask of a glyph 25 pixels high has
// about 500 bytes.
const maxGlyphs = 4096

// blit draws a glyph that is neither rotated nor scaled, with a cached mask.
func (t *textRun) blit(glyph sfnt.GlyphIndex) {
	at := t.canvas.m.apply(t.x, t.y)
	// x and y count subpixel positions. They are clamped so that they fit into an int.
	x := int(math.Round(min(max(at.x, -limit), limit) * positions))
	y := int(math.Round(min(max(at.y, -limit), limit) * positions))
	px, py := floorDiv(x, positions), floorDiv(y, positions)
	key := glyphKey{t.font, t.size, glyph, uint8(x - px*positions), uint8(y - py*positions)}
	mask := t.mask(key)
	for row := range mask.Rect.Dy() {
		line := mask.Pix[row*mask.Stride : row*mask.Stride+mask.Rect.Dx()]
		for i, a := range line {
			if a != 0 {
				left := px + mask.Rect.Min.X + i
				t.canvas.pixels.span(py+mask.Rect.Min.Y+row, left, left+1, uint32(a)*0x101)
			}
		}
	}
}

func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }

func (t *textRun) mask(key glyphKey) *image.Alpha {
	glyphs.Lock()
	mask := glyphs.masks[key]
	glyphs.Unlock()
	if mask != nil {
		return mask
	}
	mask = t.newMask(key)
	glyphs.Lock()
	defer glyphs.Unlock()
	if glyphs.masks == nil || len(glyphs.masks) >= maxGlyphs {
		glyphs.masks = map[glyphKey]*image.Alpha{}
	}
	glyphs.masks[key] = mask
	return mask
}

// newMask returns the coverage of the pixels around a glyph's origin, which is at
// (0, 0).
func (t *textRun) newMask(key glyphKey) *image.Alpha {
	segments, err := t.font.LoadGlyph(&t.buffer, key.glyph, key.size, nil)
	if err != nil || len(segments) == 0 {
		return &image.Alpha{}
	}
	dx, dy := float32(key.x)/positions, float32(key.y)/positions
	b := segments.Bounds()
	x0, y0 := b.Min.X.Floor()-1, b.Min.Y.Floor()-1
	w, h := b.Max.X.Ceil()+2-x0, b.Max.Y.Ceil()+2-y0
	r := vector.NewRasterizer(w, h)
	at := func(p fixed.Point26_6) (x, y float32) {
		return float32(p.X)/64 + dx - float32(x0), float32(p.Y)/64 + dy - float32(y0)
	}
	for _, s := range segments {
		ax, ay := at(s.Args[0])
		bx, by := at(s.Args[1])
		cx, cy := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			r.ClosePath()
			r.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			r.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			r.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			r.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	mask.Rect = image.Rect(x0, y0, x0+w, y0+h)
	return mask
}

// outline draws a rotated or scaled glyph by filling its outline.
func (t *textRun) outline(glyph sfnt.GlyphIndex) {
	segments, err := t.font.LoadGlyph(&t.buffer, glyph, t.size, nil)
	if err != nil {
		return
	}
	f := flattener{canvas: t.canvas}
	// The vertical axis of a glyph's outline points down.
	at := func(p fixed.Point26_6) point {
		return t.canvas.m.apply(t.x+float64(p.X)/64, t.y-float64(p.Y)/64)
	}
	for _, s := range segments {
		a, b, c := at(s.Args[0]), at(s.Args[1]), at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			f.end()
			f.to(a)
		case sfnt.SegmentOpLineTo:
			f.to(a)
		case sfnt.SegmentOpQuadTo:
			f.curve(f.last, mid(f.last, a, 2./3), mid(b, a, 2./3), b)
		case sfnt.SegmentOpCubeTo:
			f.curve(f.last, a, b, c)
		}
	}
	f.end()
	t.canvas.fillLines(f.lines)
}
