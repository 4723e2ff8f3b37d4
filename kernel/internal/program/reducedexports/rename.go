package reducedexports

import (
	"errors"
	"fmt"
	"os"
)

// Rename replaces strings in the export data of a package archive, such as names of objects. The replacement of a string must have
// the same length. Rename fails if the format of the export data is not known, or if one of the strings does not occur.
func Rename(archive string, names map[string]string) error {
	member, data, err := readMember(archive)
	if err != nil {
		return err
	}
	d, ok := open(data)
	if !ok {
		return fmt.Errorf("%s: the format of the export data is not known", archive)
	}
	renamed := 0
	for i := range d.firsts[sectionString+1] {
		old := d.element(sectionString, i)
		name, ok := names[string(old)]
		if !ok {
			continue
		}
		if len(name) != len(old) {
			return fmt.Errorf("%s: %s and its replacement %s have different lengths", archive, old, name)
		}
		copy(old, name)
		renamed++
	}
	if d.malformed || renamed != len(names) {
		return fmt.Errorf("%s: the export data has %d of %d strings that are replaced", archive, renamed, len(names))
	}
	f, err := os.OpenFile(archive, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(member, 0)
	return errors.Join(err, f.Close())
}
