"""Remote reading: a study is read, reviewed by another, and its reading released."""
