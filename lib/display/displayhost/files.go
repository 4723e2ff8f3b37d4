package displayhost

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// files is the folder of WriteFiles, or nil. It is process-wide, like sink.
var files atomic.Pointer[folder]

// A folder receives the displays of a process without a host.
type folder struct {
	dir string

	mu    sync.Mutex // guards what follows
	shown []string   // the parts of the index
	byID  map[string]int
}

// WriteFiles makes a process without a host write its displays to files in the folder dir, and still print their
// text forms. See display.WriteFiles.
func WriteFiles(dir string) error {
	if dir == "" {
		files.Store(nil)
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("display: cannot make the folder for displays: %w", err)
	}
	f := &folder{dir: dir, byID: map[string]int{}}
	if err := f.writeIndex(); err != nil {
		return err
	}
	files.Store(f)
	return nil
}

// extensions has the MIME types of the forms of a display that are written to files, with the extensions of
// these files. The index shows the first of them that a display has.
var extensions = []struct{ mime, extension string }{
	{"text/html", ".html"}, {"image/svg+xml", ".svg"}, {"image/png", ".png"}, {"image/jpeg", ".jpg"}, {"image/gif", ".gif"},
	{"text/markdown", ".md"}, {"text/latex", ".tex"}, {"application/json", ".json"},
}

// write writes the forms of a display to files. A display that has only text gets no file.
func (f *folder) write(m Message) error {
	if m.Kind == KindClear || len(m.Data) == 0 || len(m.Data) == 1 && m.Data["text/plain"] != nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i, again := f.byID[m.ID]
	if m.ID == "" || !again {
		i = len(f.shown)
		f.shown = append(f.shown, "")
		f.byID[m.ID] = i
	}
	name := fmt.Sprintf("%03d", i+1)
	part := ""
	for _, x := range extensions {
		form, ok := m.Data[x.mime]
		if !ok {
			continue
		}
		data, err := decode(x.mime, form)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(f.dir, name+x.extension), data, 0o666); err != nil {
			return fmt.Errorf("display: cannot write a display of type %s to a file: %w", x.mime, err)
		}
		if part == "" {
			part = indexPart(x.mime, name+x.extension, data)
		}
	}
	if part == "" { // forms without a file
		part = fmt.Sprintf("<pre>%s</pre>", html.EscapeString(fmt.Sprint(strings.Join(slices.Sorted(maps.Keys(m.Data)), ", "))))
	}
	f.shown[i] = part
	return f.writeIndex()
}

// decode returns the bytes of the file of a form. An image is decoded from base64; a value
// that is not a string is encoded as JSON.
func decode(mime string, form any) ([]byte, error) {
	text, ok := form.(string)
	if !ok {
		data, err := json.MarshalIndent(form, "", "\t")
		if err != nil {
			return nil, fmt.Errorf("display: cannot encode a display of type %s as JSON: %w", mime, err)
		}
		return append(data, '\n'), nil
	}
	if strings.HasPrefix(mime, "image/") && mime != "image/svg+xml" {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("display: cannot decode a picture of type %s: %w", mime, err)
		}
		return data, nil
	}
	return []byte(text), nil
}

// indexPart returns the HTML that shows a file.
func indexPart(mime, name string, data []byte) string {
	switch {
	case mime == "text/html":
		return string(data)
	case strings.HasPrefix(mime, "image/"):
		return fmt.Sprintf("<img src=%q alt=%q>", name, name)
	}
	return fmt.Sprintf("<pre>%s</pre>", html.EscapeString(string(data)))
}

// writeIndex writes the page with all displays. The caller holds mu, or nothing else uses f
// yet.
func (f *folder) writeIndex() error {
	var page strings.Builder
	page.WriteString("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>Displays</title>\n<style>body { font-family: sans-serif; margin: 2em } figure { margin: 2em 0 }</style>\n")
	for i, part := range f.shown {
		fmt.Fprintf(&page, "<figure id=\"display-%d\">\n%s\n</figure>\n", i+1, part)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "index.html"), []byte(page.String()), 0o666); err != nil {
		return fmt.Errorf("display: cannot write the page that shows all displays: %w", err)
	}
	return nil
}
