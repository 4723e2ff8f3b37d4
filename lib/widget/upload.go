package widget

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A File is a file that the user has uploaded.
type File struct {
	Name    string
	Type    string // MIME type according to the browser; may be empty
	Size    int64  // size in bytes
	ModTime time.Time
	Data    []byte
}

// String returns the file's name and size.
func (f File) String() string { return fmt.Sprintf("%s (%d bytes)", f.Name, f.Size) }

// A FileUpload lets the user upload files. Its value holds the files of the last
// upload. An upload is one message. Jupyter's server accepts messages of up to 10 MB
// from a page; its setting websocket_max_message_size allows larger ones. The kernel
// accepts up to 64 MB.
type FileUpload struct{ Control[[]File] }

// NewFileUpload returns a button that lets the user choose files. accept limits the
// choice to MIME types or extensions, such as "image/*,.csv"; "" allows all files. If
// multiple is true, the user can choose several files at once.
func NewFileUpload(description, accept string, multiple bool) *FileUpload {
	u := &FileUpload{}
	u.encode = func(files []File) any { return encodeFiles(files) }
	u.equal = func(a, b []File) bool { return len(a) == 0 && len(b) == 0 } // another upload is a change
	state := controlState(description, "ButtonStyle")
	state["accept"], state["multiple"], state["icon"], state["button_style"], state["error"] = accept, multiple, "upload", "", ""
	u.openWith("FileUpload", description, nil, state, u.take)
	return u
}

// Value returns the files of the last upload. The caller must not change their Data.
func (u *FileUpload) Value() []File { return slices.Clone(u.Control.Value()) }

// Clear removes the files, here and in the front end.
func (u *FileUpload) Clear() error { return u.Control.SetValue(nil) }

// SetValue removes the files if files is empty, and fails otherwise: only the user can
// upload files.
func (u *FileUpload) SetValue(files []File) error {
	if len(files) > 0 {
		return fmt.Errorf("widget: cannot set the files of %s: only the user can upload files; the program can only remove them with Clear", u.name())
	}
	return u.Clear()
}

// fileState is a file in the model's state. Its content is a buffer.
type fileState struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Size         int64  `json:"size"`
	LastModified int64  `json:"last_modified"` // time in milliseconds since 1970
}

// encodeFiles returns the state of files without their contents. The page needs only
// their number.
func encodeFiles(files []File) []fileState {
	all := make([]fileState, len(files))
	for i, f := range files {
		all[i] = fileState{f.Name, f.Type, f.Size, f.ModTime.UnixMilli()}
	}
	return all
}

// take stores the files of an upload. An incomplete upload changes nothing, and the
// page shows the error.
func (u *FileUpload) take(msg message) {
	raw, ok := msg.State["value"]
	if !ok {
		return
	}
	files, err := decodeFiles(raw, msg)
	if err != nil {
		_ = u.m.set("error", err.Error(), true)
		_ = u.m.set("value", u.encode(u.Value()), true)
		return
	}
	_ = u.m.set("value", u.encode(files), false)
	u.store(files)
}

func decodeFiles(raw json.RawMessage, msg message) ([]File, error) {
	states, ok := fromJSON[[]fileState](raw)
	if !ok {
		return nil, fmt.Errorf("the browser sent malformed data for the upload: try again")
	}
	contents := map[int][]byte{}
	for i, path := range msg.BufferPaths {
		if i >= len(msg.Buffers) || len(path) != 3 || path[0] != "value" || path[2] != "content" {
			continue
		}
		if at, ok := path[1].(float64); ok {
			contents[int(at)] = msg.Buffers[i]
		}
	}
	files := make([]File, len(states))
	for i, s := range states {
		data, ok := contents[i]
		if !ok || int64(len(data)) != s.Size {
			return nil, fmt.Errorf("the upload of %q is incomplete: %d of %d bytes arrived; upload the file again", s.Name, len(data), s.Size)
		}
		files[i] = File{Name: s.Name, Type: s.Type, Size: s.Size, ModTime: time.UnixMilli(s.LastModified), Data: data}
	}
	return files, nil
}
