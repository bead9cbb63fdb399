package vm

const rawGenerator = 1 << 0
