package cellruntime

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Embed sets a variable, given as a pointer to a string, []byte or embed.FS, to the files that //go:embed patterns match
// in the folder in which cells run. It panics if the patterns are invalid or match no file.
func Embed(variable any, patterns string) {
	if err := embedInto(variable, patterns, os.DirFS(".")); err != nil {
		panic(err)
	}
}

func embedInto(variable any, patterns string, root fs.FS) error {
	list, err := splitPatterns(patterns)
	if err != nil {
		return err
	}
	var names []string
	for _, p := range list {
		found, err := matchPattern(root, p)
		if err != nil {
			return fmt.Errorf("//go:embed %s: %w", p, err)
		}
		names = append(names, found...)
	}
	if fsys, ok := variable.(*embed.FS); ok {
		return fillFS(fsys, root, names)
	}
	if len(names) != 1 {
		return fmt.Errorf("//go:embed %s: matches %d files, and a %T holds only one: use an embed.FS", patterns, len(names), reflect.ValueOf(variable).Elem().Interface())
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

// splitPatterns splits a line into patterns, which are words or quoted Go strings.
func splitPatterns(line string) ([]string, error) {
	var out []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if line[0] != '"' && line[0] != '`' {
			word, rest, _ := strings.Cut(line, " ")
			out, line = append(out, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(line)
		if err != nil {
			return nil, fmt.Errorf("//go:embed: a quotation mark is not closed in %s", line)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		out, line = append(out, word), line[len(quoted):]
	}
	return out, nil
}

// matchPattern lists the files that match a pattern. If it matches a folder, these are all
// files in the folder, without those whose names begin with a dot or an underscore unless the
// pattern begins with "all:".
func matchPattern(root fs.FS, pattern string) ([]string, error) {
	pattern, all := strings.CutPrefix(pattern, "all:")
	if !fs.ValidPath(pattern) {
		return nil, errors.New("a pattern is a path below the folder of the cells, without . or .. in it")
	}
	matches, err := fs.Glob(root, pattern)
	if err != nil {
		return nil, err
	}
	if len(matches) == 0 {
		return nil, errors.New("no such file in the folder of the cells")
	}
	var out []string
	for _, m := range matches {
		err := fs.WalkDir(root, m, func(name string, d fs.DirEntry, err error) error {
			hidden := name != m && !all && strings.ContainsRune("._", rune(path.Base(name)[0]))
			switch {
			case err != nil:
				return err
			case hidden && d.IsDir():
				return fs.SkipDir
			case !hidden && d.Type().IsRegular():
				out = append(out, name)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it holds no file that can be embedded")
	}
	return out, nil
}

// embeddedFile has the same layout as the type file of package embed. An embed.FS is a pointer
// to a slice of these, since Go 1.16. TestEmbedFS checks that.
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
