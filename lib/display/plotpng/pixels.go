package plotpng

import (
	"image"
	"image/color"
	"math"
	"slices"
)

// levels is the number of steps between no and full coverage of a pixel.
const levels = 16

// maxDifference is by how much the channels of a color may differ, of 255, from
// that of a pixel at an edge, if the palette has no room for another.
const maxDifference = 16

// pixels is a picture with a palette, as long as its colors fit into one. Plots
// have few colors, and such a picture is filled, blended and encoded in a fraction
// of the time.
type pixels struct {
	w, h  int
	index []uint8 // w*h; nil once there is an image
	image *image.RGBA

	palette []color.RGBA // opaque
	numbers map[color.RGBA]uint8

	color  color.NRGBA
	blend  *blendTable
	tables map[color.NRGBA]*blendTable
}

// A blendTable has, for each color of the palette and each level of coverage,
// 1 + the number of the color that results; 0 means not yet known.
type blendTable [256][levels]uint16

// newPixels returns a white picture that uses the memory of buffer if it suffices.
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

// number returns the number of an opaque color, which it adds to the palette if
// there is room.
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

// level returns the step of a coverage between 0 and 0xffff.
func level(alpha uint32) int { return int((alpha*(levels-1) + 0x7fff) / 0xffff) }

// span covers the pixels from x0 to x1 of a row.
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

// blendSpan covers pixels of the image.
func (p *pixels) blendSpan(pix []uint8, alpha uint32) {
	part := alpha * uint32(p.color.A) / 0xff // of 0xffff
	r, g, b, rest := uint32(p.color.R)*part, uint32(p.color.G)*part, uint32(p.color.B)*part, 0xffff-part
	for len(pix) >= 4 {
		pix[0] = uint8((uint32(pix[0])*rest + r + 0x7fff) / 0xffff)
		pix[1] = uint8((uint32(pix[1])*rest + g + 0x7fff) / 0xffff)
		pix[2] = uint8((uint32(pix[2])*rest + b + 0x7fff) / 0xffff)
		pix = pix[4:]
	}
}

// over returns the number of the color that the current one makes of another.
func (p *pixels) over(under uint8, step int) (n uint8, ok bool) {
	if known := p.blend[under][step]; known > 0 {
		return uint8(known - 1), true
	}
	c := mix(p.palette[under], p.color, float64(step)/(levels-1)*float64(p.color.A)/255)
	// The last entries are for areas: edges take one that is close.
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

// nearest returns the color of the palette that is most like c, if it is close.
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

// mix lays part of a color over another.
func mix(under color.RGBA, over color.NRGBA, part float64) color.RGBA {
	channel := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*part)) }
	return color.RGBA{channel(under.R, over.R), channel(under.G, over.G), channel(under.B, over.B), 0xff}
}

// dropPalette goes on with an image of any colors.
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
