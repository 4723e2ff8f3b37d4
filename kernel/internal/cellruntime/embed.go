package cellruntime

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/embedfiles"
)

// Embed sets a variable, given as a pointer to a string, []byte or embed.FS, to the files that //go:embed patterns match
// in the folder in which cells run. It panics if the patterns are invalid or match no file.
func Embed(variable any, patterns string) {
	if err := embedInto(variable, patterns, os.DirFS(".")); err != nil {
		panic(err)
	}
}

func embedInto(variable any, patterns string, root fs.FS) error {
	names, err := embedfiles.Match(root, patterns)
	if err != nil {
		return err
	}
	if fsys, ok := variable.(*embed.FS); ok {
		return fillFS(fsys, root, names)
	}
	if len(names) != 1 {
		return fmt.Errorf("//go:embed %s matches %d files, but a %T holds only one: use an embed.FS", patterns, len(names), reflect.ValueOf(variable).Elem().Interface())
	}
	data, err := fs.ReadFile(root, names[0])
	if err != nil {
		return err
	}
	v := reflect.ValueOf(variable).Elem()
	if v.Kind() == reflect.String {
		v.SetString(string(data))
	} else {
		v.SetBytes(data)
	}
	return nil
}

// embeddedFile has the same layout as the type file of package embed. An embed.FS is a pointer
// to a slice of such files, since Go 1.16. TestEmbedFS checks that.
type embeddedFile struct {
	name, data string
	_          [16]byte // a hash
}

// fillFS sets out to the files and the folders that contain them, in the order that embed.FS
// requires: by folder, then by name.
func fillFS(out *embed.FS, root fs.FS, names []string) error {
	contents := map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		contents[name] = string(data)
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			contents[dir+"/"] = ""
		}
	}
	files := make([]embeddedFile, 0, len(contents))
	for name, data := range contents {
		files = append(files, embeddedFile{name: name, data: data})
	}
	slices.SortFunc(files, func(a, b embeddedFile) int {
		an, bn := strings.TrimSuffix(a.name, "/"), strings.TrimSuffix(b.name, "/")
		if c := strings.Compare(path.Dir(an), path.Dir(bn)); c != 0 {
			return c
		}
		return strings.Compare(path.Base(an), path.Base(bn))
	})
	*(**[]embeddedFile)(unsafe.Pointer(out)) = &files
	return nil
}
