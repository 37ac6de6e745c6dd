// Planted: every file lies in a room.
export {};
