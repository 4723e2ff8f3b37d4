package celltrace

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"os"
	"path/filepath"
	"runtime/trace"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
	"github.com/perijove/perijove/lib/mp"
)

// record records a function that logs a mark, and returns the folder.
func record(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "recording")
	err := mp.Trace(folder, func() error {
		trace.Log(t.Context(), "test", "a <mark>")
		time.Sleep(time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestForms checks the forms of a timeline: each must be of use without the others.
func TestForms(t *testing.T) {
	folder := record(t)
	d, err := Show(folder, true)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := d.Data["text/plain"].(string)
	for _, want := range []string{" cores, 1 process, ", `"a <mark>" at `, "go tool trace " + folder, ".trace shows one process"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "removed") {
		t.Errorf("the files of a named folder are said to be removed:\n%s", text)
	}
	page, _ := d.Data["text/html"].(string)
	if !strings.Contains(page, "<img ") || strings.Contains(page, "<svg") || strings.Contains(page, "<script") || !strings.Contains(page, "a &lt;mark&gt; at ") {
		t.Errorf("the page has no image, or what front ends remove:\n%.300s", page)
	}
	encoded, _ := d.Data["image/png"].(string)
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	size, _ := d.Metadata["image/png"].(map[string]any)
	if w := picture.Bounds().Dx(); size["width"] != w/2 {
		t.Errorf("the picture is %d pixels wide, shown as %v", w, size)
	}
}

// TestTemporaryFiles checks that the text says how long the files stay, and how to keep
// them.
func TestTemporaryFiles(t *testing.T) {
	d, err := Show(record(t), false)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := d.Data["text/plain"].(string); !strings.HasSuffix(text, "; the files are removed when the kernel ends, and %%trace FOLDER keeps them") {
		t.Errorf("the text is\n%s", text)
	}
}

// TestNoRecording checks the errors for a worker process that has died, and for a damaged
// folder.
func TestNoRecording(t *testing.T) {
	if _, err := Show(t.TempDir(), false); err == nil || err.Error() != "there is no timeline of the cell: the cell has no code, or the process that runs the cells ended before it wrote the trace" {
		t.Errorf("an empty folder: %v", err)
	}
	folder := record(t)
	if err := os.WriteFile(filepath.Join(folder, exectrace.ManifestName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Show(folder, false); err == nil || !strings.Contains(err.Error(), "as a manifest of mp.Trace") {
		t.Errorf("a damaged manifest: %v", err)
	}
	folder = record(t)
	files, err := filepath.Glob(filepath.Join(folder, "*.trace"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the traces are %v, %v", files, err)
	}
	if err := os.WriteFile(files[0], []byte("no trace"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Show(folder, false); err == nil || !strings.Contains(err.Error(), "cannot read the trace of the first process") {
		t.Errorf("a damaged trace: %v", err)
	}
}
