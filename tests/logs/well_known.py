"""Lines of logs that everybody has, and the row that each of them is."""

from __future__ import annotations

from stream_rec.logs import LogRow

WELL_KNOWN = {
    "our own": (
        "user,item,type,value,ts\n259,255,rating,4,874724710\n",
        LogRow("259", "255", "rating", 4.0, 874_724_710_000),
    ),
    "MovieLens u.data": (
        "196\t242\t3\t881250949\n",
        LogRow("196", "242", "rating", 3.0, 881_250_949_000),
    ),
    "MovieLens ratings.dat": (
        "1::1193::5::978300760\n",
        LogRow("1", "1193", "rating", 5.0, 978_300_760_000),
    ),
    "MovieLens ratings.csv": (
        "userId,movieId,rating,timestamp\n1,296,4.5,1147880044\n",
        LogRow("1", "296", "rating", 4.5, 1_147_880_044_000),
    ),
    "Amazon ratings": (
        "A0000000000028,B000000059,3.0,1569888000\n",
        LogRow("A0000000000028", "B000000059", "rating", 3.0, 1_569_888_000_000),
    ),
    "UCI Online Retail": (
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        '536365,85123A,"LANTERN, WHITE",6,12/13/2010 8:26,2.55,17850,United Kingdom\n',
        LogRow("17850", "85123A", "purchase", 6.0, 1_292_228_760_000),
    ),
    "Taobao": (
        "1,2268318,2520377,buy,1511544070\n",
        LogRow("1", "2268318", "purchase", None, 1_511_544_070_000),
    ),
    "REES46": (
        "event_time,event_type,product_id,category_id,category_code,brand,price,user_id,"
        "user_session\n2019-10-01 00:00:00 UTC,remove_from_cart,44,210,,acme,35.79,541,72d7\n",
        LogRow("541", "44", "skip", None, 1_569_888_000_000),
    ),
    "Diginetica": (
        "sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n",
        LogRow("1", "81766", "view", None, 1_462_752_000_000),
    ),
    "Last.fm 1K": (
        "user_000001\t2009-05-04T23:08:57Z\ta1\tDeep Dish\tt1\tA Track\n",
        LogRow("user_000001", "t1", "view", None, 1_241_478_537_000),
    ),
    "Gowalla": (
        "0\t2010-10-19T23:55:27Z\t30.2359091167\t-97.7951395833\t22847\n",
        LogRow("0", "22847", "view", None, 1_287_532_527_000),
    ),
    "Goodreads": (
        "user_id,book_id,rating,date_added\nu1,b1,4,Sun Jul 30 07:44:10 -0700 2017\n",
        LogRow("u1", "b1", "rating", 4.0, 1_501_425_850_000),
    ),
    "RetailRocket view": (
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n",
        LogRow("257597", "355908", "view", None, 1_433_221_332_117),
    ),
    "RetailRocket cart": (
        "timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,addtocart,355908,\n",
        LogRow("257597", "355908", "cart", None, 1_433_221_332_117),
    ),
    "RetailRocket purchase": (
        "timestamp,visitorid,event,itemid,transactionid\n1433222276276,599528,transaction,356475,4000\n",
        LogRow("599528", "356475", "purchase", None, 1_433_222_276_276),
    ),
    "yoochoose clicks": (
        "1,2014-04-07T10:51:09.277Z,214536502,0\n",
        LogRow("1", "214536502", "click", None, 1_396_867_869_277),
    ),
    "yoochoose buys": (
        "420374,2014-04-06T18:44:58.314Z,214537888,12462,2\n",
        LogRow("420374", "214537888", "purchase", 2.0, 1_396_809_898_314),
    ),
    "semicolons and other names": (
        'user_id;"product id";action;createdAt\nann;tea;view;2024-05-01T12:00:00+02:00\n',
        LogRow("ann", "tea", "view", None, 1_714_557_600_000),
    ),
    "JSON Lines": (
        '{"user":7,"item":"a","type":"like","ts":1700000000,"event_id":"e1","session":3,'
        '"context":{"page":"home"}}\n',
        LogRow("7", "a", "like", None, 1_700_000_000_000, "e1", "3", {"page": "home"}),
    ),
    "JSON Lines with other names": (
        '{"userId":"7","articleId":"a","timestamp":1700000000}\n',
        LogRow("7", "a", "view", None, 1_700_000_000_000),
    ),
    "no times": ("user,item\nann,tea\n", LogRow("ann", "tea", "view")),
    "byte order mark and Windows line ends": (
        "\ufeffuser,item\r\nann,thé\r\n",
        LogRow("ann", "thé", "view"),
    ),
    "first column without a name": ("\tuser\titem\n0\tann\ttea\n", LogRow("ann", "tea", "view")),
    "units in parentheses": (
        "User ID,Item [id],Timestamp (s)\nann,tea,1700000000\n",
        LogRow("ann", "tea", "view", None, 1_700_000_000_000),
    ),
    "quoted field with delimiter and line end": (
        'user,item,title\nann,tea,"green,\nloose"\n',
        LogRow("ann", "tea", "view"),
    ),
}
