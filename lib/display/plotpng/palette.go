package plotpng

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
)

const (
	// maxColors is how many different colours a picture may have to get a
	// palette. Photographs and smooth gradients have more.
	maxColors = 1 << 13
	// maxReplaced is which part of the pixels may change: 1 in 16.
	maxReplaced = 16
)

// distances are by how much the channels of two colours may differ, of 255, if
// one entry of the palette serves both; the first with which the palette suffices
// is taken.
var distances = []int{0, 8, 12, 16}

// withPalette returns img with a palette, or img if the difference could be seen.
func withPalette(img *image.RGBA) image.Image {
	counts := count(img)
	if counts == nil {
		return img
	}
	colors := make([]uint32, 0, len(counts))
	for c := range counts {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, distance := range distances {
		kept, index := choose(colors, distance)
		if kept == nil {
			continue
		}
		replaced := len(img.Pix) / 4
		for _, c := range kept {
			replaced -= counts[c]
		}
		if replaced > len(img.Pix)/4/maxReplaced {
			return img
		}
		return indexed(img, kept, index)
	}
	return img
}

// choose returns a palette in which every colour has one that differs by no more
// than distance, and its index; nil if 256 do not suffice. The first colours, the
// most frequent, are in it as they are.
func choose(colors []uint32, distance int) (kept []uint32, index map[uint32]uint8) {
	if distance == 0 && len(colors) > 256 {
		return nil, nil
	}
	index = make(map[uint32]uint8, len(colors))
	for _, c := range colors {
		i, d := nearest(kept, c, distance)
		if d > distance {
			if len(kept) == 256 {
				return nil, nil
			}
			i = uint8(len(kept))
			kept = append(kept, c)
		}
		index[c] = i
	}
	return kept, index
}

// indexed returns img with the colours as its palette.
func indexed(img *image.RGBA, colors []uint32, index map[uint32]uint8) *image.Paletted {
	palette := make(color.Palette, len(colors))
	for i, c := range colors {
		palette[i] = color.RGBA{R: byte(c), G: byte(c >> 8), B: byte(c >> 16), A: byte(c >> 24)}
	}
	out := image.NewPaletted(img.Rect, palette)
	var last uint32
	var at uint8
	for i := range out.Pix {
		c := binary.LittleEndian.Uint32(img.Pix[4*i:])
		if c != last || i == 0 {
			last, at = c, index[c]
		}
		out.Pix[i] = at
	}
	return out
}

// count returns how many pixels have which colour, or nil if there are too many
// colours.
func count(img *image.RGBA) map[uint32]int {
	counts := map[uint32]int{}
	pix := img.Pix
	for len(pix) > 0 {
		c := binary.LittleEndian.Uint32(pix)
		n := 4
		for n < len(pix) && binary.LittleEndian.Uint32(pix[n:]) == c {
			n += 4
		}
		if counts[c] += n / 4; len(counts) > maxColors {
			return nil
		}
		pix = pix[n:]
	}
	return counts
}

// nearest returns the index of a colour whose channels differ from those of c by
// no more than enough, or of the one that differs least, and by how much.
func nearest(colors []uint32, c uint32, enough int) (index uint8, distance int) {
	distance = 256
	r, g, b, a := int(byte(c)), int(byte(c>>8)), int(byte(c>>16)), int(byte(c>>24))
	for i, k := range colors {
		dr, dg, db, da := r-int(byte(k)), g-int(byte(k>>8)), b-int(byte(k>>16)), a-int(byte(k>>24))
		if d := max(dr, -dr, dg, -dg, db, -db, da, -da); d < distance {
			if index, distance = uint8(i), d; d <= enough {
				break
			}
		}
	}
	return index, distance
}
