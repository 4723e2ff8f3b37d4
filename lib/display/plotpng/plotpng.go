// Package plotpng draws plots of gonum.org/v1/plot as PNG pictures, faster than gonum's
// own PNG canvas. A notebook needs a PNG of each plot, because Jupyter does not show SVG
// pictures in a notebook that it does not trust.
package plotpng

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"sync"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Drawer draws itself to a canvas. A *plot.Plot is a Drawer.
type Drawer interface{ Draw(draw.Canvas) }

// Rasterize draws v at 192 pixels per inch if it is a Drawer; otherwise the result is
// nil. It implements displayhost.Rasterizer.
func Rasterize(v any, width, height float64) ([]byte, error) {
	d, ok := v.(Drawer)
	if !ok {
		return nil, nil
	}
	return Encode(d, vg.Length(width), vg.Length(height), 2*96)
}

// maxPixels is the maximum number of pixels of a picture, such as 16,384 × 16,384.
const maxPixels = 1 << 28

// Encode returns a PNG picture of d, with dpi pixels per inch, on a white background.
// The picture has a palette if 256 colors suffice. Encode fails if the size is not positive
// or too large. It can be called concurrently.
func Encode(d Drawer, width, height vg.Length, dpi int) ([]byte, error) {
	w := int(math.Round(width.Dots(float64(dpi))))
	h := int(math.Round(height.Dots(float64(dpi))))
	if w <= 0 || h <= 0 || w > maxPixels/h {
		return nil, fmt.Errorf("cannot draw a picture of %d × %d pixels: width and height must be positive, and the picture may have at most %d pixels", w, h, maxPixels)
	}
	buffer, _ := indexes.Get().(*[]uint8)
	if buffer == nil {
		buffer = new([]uint8)
	}
	defer indexes.Put(buffer)
	p := newPixels(w, h, *buffer)
	if p.index != nil {
		*buffer = p.index
	}
	d.Draw(draw.NewCanvas(newCanvas(p, dpi), width, height))
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &buffers}).Encode(&out, p.result()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// indexes keeps the memory of pixels for the next picture: a picture of 6 by 4 inches at 192
// dpi takes 0.9 MB.
var indexes sync.Pool

// buffers is a png.EncoderBufferPool.
var buffers encoderBuffers

type encoderBuffers struct{ pool sync.Pool }

func (b *encoderBuffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

func (b *encoderBuffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }
