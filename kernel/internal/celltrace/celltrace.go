// Package celltrace shows the recording of a cell as a picture and as text. It runs in the kernel, so the worker
// process need not contain its code.
package celltrace

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/exectrace/chart"
)

// Show reads the recording in a folder, which mp.Trace or the worker process has written, and returns its timeline.
// kept says whether the folder remains when the kernel ends.
func Show(folder string, kept bool) (output.Display, error) {
	t, err := exectrace.Read(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return output.Display{}, errors.New("there is no timeline of the cell: the cell has no code, or the process that runs the cells ended before it wrote the trace")
	}
	if err != nil {
		return output.Display{}, err
	}
	c := chart.New(t)
	text := t.String()
	if left := c.LeftOut(); left != "" {
		text += "\npicture: " + left
	}
	text += "\n" + filesNote(t, kept)
	d := output.Display{Data: output.Bundle{"text/html": c.HTML(), "text/plain": text}}
	if picture := c.PNG(); picture != nil { // else the other forms suffice
		w, h := c.Size()
		d.Data["image/png"] = base64.StdEncoding.EncodeToString(picture)
		d.Metadata = map[string]any{"image/png": map[string]any{"width": int(w), "height": int(h)}}
	}
	return d, nil
}

// filesNote names a file of the recording, and says how long the files stay.
func filesNote(t *exectrace.Trace, kept bool) string {
	text := fmt.Sprintf("go tool trace %s shows one process", filepath.Join(t.Folder, filepath.Base(t.Processes[0].File)))
	if !kept {
		text += "; the files are removed when the kernel ends, and %%trace FOLDER keeps them"
	}
	return text
}
