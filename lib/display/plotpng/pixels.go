package plotpng

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// levels is the number of steps between no and full coverage of a pixel.
const levels = 16

// maxDifference limits how similar two colors must be. When the palette is almost full, a
// pixel at an edge takes a similar color instead of a new one; no channel, from 0 to 255,
// differs by more.
const maxDifference = 16

// pixels is a picture. It has a palette until it needs more than 256 colors; then it
// changes to an RGBA image. Plots have few colors, and a picture with a palette is
// filled, blended and encoded in a fraction of the time.
type pixels struct {
	w, h  int
	index []uint8     // number in the palette of each of w*h pixels; nil if image is set
	image *image.RGBA // nil as long as there is a palette

	palette []color.RGBA // opaque
	numbers map[color.RGBA]uint8

	color  color.NRGBA
	blend  *blendTable
	tables map[color.NRGBA]*blendTable
}

// A blendTable caches the results of blending one color over the palette. For each
// color of the palette and each level of coverage, it holds 1 + the number of the
// resulting color; 0 means not yet known.
type blendTable [256][levels]uint16

// newPixels returns a white picture. It uses the memory of buffer if that is large
// enough.
func newPixels(w, h int, buffer []uint8) *pixels {
	p := &pixels{w: w, h: h, numbers: map[color.RGBA]uint8{}, tables: map[color.NRGBA]*blendTable{}}
	if cap(buffer) >= w*h {
		p.index = buffer[:w*h]
		clear(p.index)
	} else {
		p.index = make([]uint8, w*h)
	}
	p.number(color.RGBA{0xff, 0xff, 0xff, 0xff})
	p.setColor(color.Black)
	return p
}

// number returns the number of an opaque color in the palette. It adds a new color;
// if the palette is full, it returns false.
func (p *pixels) number(c color.RGBA) (n uint8, ok bool) {
	if n, ok := p.numbers[c]; ok {
		return n, true
	}
	if len(p.palette) == 256 {
		return 0, false
	}
	n = uint8(len(p.palette))
	p.palette = append(p.palette, c)
	p.numbers[c] = n
	return n, true
}

func (p *pixels) setColor(c color.Color) {
	p.color = color.NRGBAModel.Convert(c).(color.NRGBA)
	if p.blend = p.tables[p.color]; p.blend == nil {
		p.blend = new(blendTable)
		p.tables[p.color] = p.blend
	}
}

// level converts a coverage from 0 to 0xffff to a step from 0 to levels-1.
func level(alpha uint32) int { return int((alpha*(levels-1) + 0x7fff) / 0xffff) }

// span blends the current color over the pixels from x0 to x1 of row y. alpha is the
// coverage, from 0 to 0xffff.
func (p *pixels) span(y, x0, x1 int, alpha uint32) {
	x0, x1 = max(x0, 0), min(x1, p.w)
	if y < 0 || y >= p.h || x0 >= x1 || p.color.A == 0 {
		return
	}
	step := level(alpha)
	if step == 0 {
		return
	}
	if p.index != nil {
		row := p.index[y*p.w+x0 : y*p.w+x1]
		for len(row) > 0 {
			under := row[0]
			over, ok := p.over(under, step)
			if !ok {
				p.dropPalette()
				p.span(y, x1-len(row), x1, alpha)
				return
			}
			n := 0
			for n < len(row) && row[n] == under {
				row[n] = over
				n++
			}
			row = row[n:]
		}
		return
	}
	p.blendSpan(p.image.Pix[y*p.image.Stride+4*x0:y*p.image.Stride+4*x1], alpha)
}

// blendSpan blends the current color over pix, pixels of the RGBA image.
func (p *pixels) blendSpan(pix []uint8, alpha uint32) {
	part := alpha * uint32(p.color.A) / 0xff // from 0 to 0xffff
	r, g, b, rest := uint32(p.color.R)*part, uint32(p.color.G)*part, uint32(p.color.B)*part, 0xffff-part
	for len(pix) >= 4 {
		pix[0] = uint8((uint32(pix[0])*rest + r + 0x7fff) / 0xffff)
		pix[1] = uint8((uint32(pix[1])*rest + g + 0x7fff) / 0xffff)
		pix[2] = uint8((uint32(pix[2])*rest + b + 0x7fff) / 0xffff)
		pix = pix[4:]
	}
}

// over returns the number of the color that results from blending the current color
// over color under, with the coverage step.
func (p *pixels) over(under uint8, step int) (n uint8, ok bool) {
	if known := p.blend[under][step]; known > 0 {
		return uint8(known - 1), true
	}
	c := mix(p.palette[under], p.color, float64(step)/(levels-1)*float64(p.color.A)/255)
	// The last entries are reserved for the colors of areas: a pixel at an edge takes a similar
	// color.
	if step < levels-1 && len(p.palette) > 192 {
		if n, ok = p.nearest(c); !ok {
			n, ok = p.number(c)
		}
	} else if n, ok = p.number(c); !ok {
		return 0, false
	}
	if ok {
		p.blend[under][step] = uint16(n) + 1
	}
	return n, ok
}

// nearest returns the number of the palette's color that is most similar to c. ok is
// false if they differ by more than maxDifference.
func (p *pixels) nearest(c color.RGBA) (n uint8, ok bool) {
	best := maxDifference + 1
	for i, k := range p.palette {
		d := max(distance(c.R, k.R), distance(c.G, k.G), distance(c.B, k.B))
		if d < best {
			n, best = uint8(i), d
		}
	}
	return n, best <= maxDifference
}

func distance(a, b uint8) int { return max(int(a)-int(b), int(b)-int(a)) }

// mix blends color over, with the opacity part from 0 to 1, onto color under.
func mix(under color.RGBA, over color.NRGBA, part float64) color.RGBA {
	channel := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*part)) }
	return color.RGBA{channel(under.R, over.R), channel(under.G, over.G), channel(under.B, over.B), 0xff}
}

// dropPalette converts the picture to an RGBA image.
func (p *pixels) dropPalette() {
	p.image = image.NewRGBA(image.Rect(0, 0, p.w, p.h))
	for i, n := range p.index {
		c := p.palette[n]
		q := p.image.Pix[4*i : 4*i+4 : 4*i+4]
		q[0], q[1], q[2], q[3] = c.R, c.G, c.B, 0xff
	}
	p.index = nil
}

// result returns the picture.
func (p *pixels) result() image.Image {
	if p.index == nil {
		return p.image
	}
	palette := make(color.Palette, len(p.palette))
	for i, c := range p.palette {
		palette[i] = c
	}
	return &image.Paletted{Pix: p.index, Stride: p.w, Rect: image.Rect(0, 0, p.w, p.h), Palette: slices.Clip(palette)}
}
