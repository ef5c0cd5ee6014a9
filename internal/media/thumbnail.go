package media

import (
	"bytes"
	"image"
	"image/color"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"io"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

const (
	thumbnailSuffix  = ".thumbnail"
	thumbnailSide    = 480        // px
	thumbnailQuality = 80         // of 100
	mostPixels       = 25_000_000 // a picture that claims more is not unpacked
)

// thumbnail makes a small picture of a picture, and returns it with the picture's own size; nil: there is none to make.
func thumbnail(content io.ReadSeeker, mime string) (small []byte, width, height int) {
	if family(mime) != "image" || !Inline(mime) {
		return nil, 0, 0
	}
	about, _, err := image.DecodeConfig(content)
	if err != nil || about.Width < 1 || about.Height < 1 || about.Width > mostPixels/about.Height {
		return nil, 0, 0
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return nil, 0, 0
	}
	whole, _, err := image.Decode(content)
	if err != nil {
		return nil, 0, 0
	}
	w, h := fit(about.Width, about.Height)
	canvas := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(canvas, canvas.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(canvas, canvas.Bounds(), whole, whole.Bounds(), draw.Over, nil)
	var out bytes.Buffer
	if jpeg.Encode(&out, canvas, &jpeg.Options{Quality: thumbnailQuality}) != nil {
		return nil, 0, 0
	}
	return out.Bytes(), about.Width, about.Height
}

// fit scales down to the longest side of a thumbnail, never up.
func fit(width, height int) (int, int) {
	longest := max(width, height)
	if longest <= thumbnailSide {
		return width, height
	}
	return max(width*thumbnailSide/longest, 1), max(height*thumbnailSide/longest, 1)
}
