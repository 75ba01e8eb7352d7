export const load = 0x29;
export const store = 0x37;
export const gt_u = 0x56;
