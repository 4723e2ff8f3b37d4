// Package plotpng draws plots of gonum.org/v1/plot as PNG pictures, as fast as a
// notebook needs them: Jupyter shows no SVG in a notebook that is not trusted.
package plotpng

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math"
	"sync"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A Drawer draws itself to a canvas. A *plot.Plot is one.
type Drawer interface{ Draw(draw.Canvas) }

// Rasterize is a displayhost.Rasterizer for Drawers.
func Rasterize(v any, width, height float64) ([]byte, error) {
	d, ok := v.(Drawer)
	if !ok {
		return nil, nil
	}
	return Encode(d, vg.Length(width), vg.Length(height), 2*96)
}

// maxPixels bounds a picture: 16,384 × 16,384.
const maxPixels = 1 << 28

// Encode returns d at the given size, drawn with dpi pixels to the inch, as a
// PNG picture. Plots have few colours: the picture has a palette of at most 256,
// and pixels at the edges of lines and letters take one that is close to theirs,
// unless that could be seen. Encode can be called concurrently.
func Encode(d Drawer, width, height vg.Length, dpi int) ([]byte, error) {
	w := int(math.Round(width.Dots(float64(dpi))))
	h := int(math.Round(height.Dots(float64(dpi))))
	if w <= 0 || h <= 0 || w > maxPixels/h {
		return nil, fmt.Errorf("a picture of %d × %d pixels cannot be drawn", w, h)
	}
	img := canvasImage(w, h)
	defer images.Put(img)
	ctx := gg.NewContextForRGBA(img)
	ctx.SetLineCapButt() // as vgimg does where it makes the context
	ctx.InvertY()
	canvas := vgimg.NewWith(vgimg.UseImageWithContext(img, ctx), vgimg.UseDPI(dpi)) // fills it with white
	d.Draw(draw.NewCanvas(canvas, width, height))
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &buffers}).Encode(&out, withPalette(img)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// images keeps canvases: a picture of 6 by 4 inches takes 3.5 MB.
var images sync.Pool

// canvasImage returns an image with any contents.
func canvasImage(w, h int) *image.RGBA {
	img, _ := images.Get().(*image.RGBA)
	n := 4 * w * h
	if img == nil || cap(img.Pix) < n {
		return image.NewRGBA(image.Rect(0, 0, w, h))
	}
	*img = image.RGBA{Pix: img.Pix[:n], Stride: 4 * w, Rect: image.Rect(0, 0, w, h)}
	return img
}

// buffers is a png.EncoderBufferPool.
var buffers encoderBuffers

type encoderBuffers struct{ pool sync.Pool }

func (b *encoderBuffers) Get() *png.EncoderBuffer {
	e, _ := b.pool.Get().(*png.EncoderBuffer)
	return e
}

func (b *encoderBuffers) Put(e *png.EncoderBuffer) { b.pool.Put(e) }
