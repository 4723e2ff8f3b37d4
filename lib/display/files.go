package display

import "github.com/perijove/perijove/lib/display/displayhost"

// WriteFiles makes a program write the values that it shows to files in the folder dir, and still print their text
// forms. The files are 001.png, 002.html and so on, one for each form, and a page index.html that shows them all. An
// update of a display replaces its files. A value that has only a text form gets no file. WriteFiles makes the folder
// if necessary; an empty dir ends the writing. In a notebook WriteFiles has no effect. It can be called concurrently.
func WriteFiles(dir string) error { return displayhost.WriteFiles(dir) }
