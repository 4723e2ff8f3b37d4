// Package embedfiles finds the files that //go:embed lines of cells name.
package embedfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Match lists the files below root that the patterns of a go:embed line match, by the rules of the go command. It
// returns an error if a pattern is invalid or matches no file.
func Match(root fs.FS, patterns string) ([]string, error) {
	list, err := splitPatterns(patterns)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range list {
		found, err := matchPattern(root, p)
		if err != nil {
			return nil, fmt.Errorf("//go:embed %s: %w", p, err)
		}
		names = append(names, found...)
	}
	return names, nil
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
			return nil, fmt.Errorf("//go:embed: the quotation mark at the beginning of %s is not closed", line)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		out, line = append(out, word), line[len(quoted):]
	}
	return out, nil
}

// matchPattern lists the files that match a pattern. For a folder, it lists all files below
// it. Unless the pattern begins with "all:", it leaves out the files and folders in the folder
// whose names begin with a dot or an underscore.
func matchPattern(root fs.FS, pattern string) ([]string, error) {
	pattern, all := strings.CutPrefix(pattern, "all:")
	if !fs.ValidPath(pattern) {
		return nil, errors.New("a pattern must be a path below the folder of the cells, without . or .. as an element")
	}
	matches, err := fs.Glob(root, pattern)
	if err != nil {
		return nil, err
	}
	if len(matches) == 0 {
		return nil, errors.New("no file in the folder of the cells matches the pattern")
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
		return nil, errors.New("the pattern matches no file that can be embedded")
	}
	return out, nil
}
